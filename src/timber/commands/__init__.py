"""The commands of `timber`, one module each."""
