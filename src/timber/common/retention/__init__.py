"""How long rows are kept: what is old enough goes, or is made anonymous, and a log proves it."""
