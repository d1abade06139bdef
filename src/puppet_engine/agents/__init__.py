"""Agents: one turn at a time they perceive, recall, decide, act and remember."""
