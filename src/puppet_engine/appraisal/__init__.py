"""A cast's rehearsal, held to everything it can be measured by; JSON, and a page with charts."""
