"""A report for people: a page, a text and charts, made of what an analysis found."""
