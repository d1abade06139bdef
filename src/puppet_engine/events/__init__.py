"""What happens, when: the engine that takes events in order."""
