"""Where prices come from: one port, the sources behind it, and the order they are asked in."""
