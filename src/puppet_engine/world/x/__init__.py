"""X as the rehearsal world has it: API v2 on the wire, its rules of 2026 enforced."""
