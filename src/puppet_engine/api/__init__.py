"""The HTTP API: JSON for programs, server-sent events for those who watch."""
