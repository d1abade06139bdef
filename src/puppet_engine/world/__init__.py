"""The rehearsal world: local servers that speak the real wire protocols."""
