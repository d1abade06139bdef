"""What is stored about persons: exported, erased, and erased again after a backup was restored."""
