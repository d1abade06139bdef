"""A long life, watched: what it holds of the machine must not grow."""
