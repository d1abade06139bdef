"""Configuration-driven persistence: YAML in, typed services out."""
