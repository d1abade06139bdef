"""Lives that are killed again and again, and the audit of what they leave."""
