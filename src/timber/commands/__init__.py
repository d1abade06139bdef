"""What the `timber` command can do: one module each."""
