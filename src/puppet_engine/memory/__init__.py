"""What agents remember, and how the right thing comes back to mind."""
