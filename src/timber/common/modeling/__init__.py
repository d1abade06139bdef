"""From model files to mapped classes: every mistake is found before anything opens."""

from pathlib import Path


def builtin_directory() -> Path:
    """Return the folder of the models that Timber itself ships."""
    return Path(__file__).parent / "builtin"
