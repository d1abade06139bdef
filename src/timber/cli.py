"""The `timber` command, which needs the extra `cli`."""

import gc
import importlib
import sys


def main() -> None:
    """Run the command that was asked for; say which extra is missing if one is."""
    gc.disable()  # nothing of what is imported goes
    try:
        app = importlib.import_module("timber.commands.app")
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich", "click"}:
            raise
        sys.stderr.write(
            f"the `timber` command needs {error.name!r}, which is not installed: "
            "pip install 'puppet-engine[cli]'\n"
        )
        raise SystemExit(2) from error
    finally:
        gc.enable()
    app.cli()
