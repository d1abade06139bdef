"""What the desk does, step by step; each step is one transaction."""
