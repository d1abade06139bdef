"""What turns texts into vectors: one module for each kind."""
