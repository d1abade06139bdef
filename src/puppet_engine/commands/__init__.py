"""The groups of the `puppets` command, a module each."""
