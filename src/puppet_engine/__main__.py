"""`python -m puppet_engine` is the `puppets` command, and so is the script of that name."""

import gc
import sys


def main() -> None:
    """Run the command that was asked for; Ctrl-C ends it from its first moment on."""
    try:
        # Loading takes about a second, in which people change their minds too.
        gc.disable()  # a fifth of that second went into looking for garbage, and there is none
        from puppet_engine.cli import cli  # noqa: PLC0415

        gc.enable()
        cli()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
