"""What prices say: indicators, and a score made of them. Pure functions."""
