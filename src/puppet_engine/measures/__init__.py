"""What the engine is measured by, offline and without a model that is paid."""
