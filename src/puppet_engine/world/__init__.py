"""The rehearsal world: local servers that speak the wire protocols of the real services."""
