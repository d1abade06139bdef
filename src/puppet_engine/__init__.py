"""A runtime for autonomous persona agents."""
