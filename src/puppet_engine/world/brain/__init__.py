"""A language model without a model: it writes what a persona would, from the prompts alone."""
