"""What happens, when: the engine that takes events in order, and the outbox of what is wanted."""
