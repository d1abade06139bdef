"""X over its API v2: one account's client."""
