"""`python -m puppet_engine` is the `puppets` command."""

from puppet_engine.cli import main

main()
