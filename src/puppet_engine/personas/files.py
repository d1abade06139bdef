"""Writing persona files, and seeing that they have changed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.personas.reader import read_persona

Stamps = Mapping[Path, tuple[int, int]]
"""Of each persona file of a folder, when it was changed last, in ns, and its size in bytes."""


def write_persona(file: Path, persona: Mapping[str, Any], *, replace: bool) -> None:
    """Write a persona, whole or not at all: whoever reads at the time finds one of both.

    Raises:
        ConfigurationError: there is such a file, and it is not to be replaced.

    """
    if file.exists() and not replace:
        raise ConfigurationError(f"{file} exists: give --force to replace it, or another --out")
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(json.dumps(persona, indent=2, ensure_ascii=False) + "\n", "utf-8")
    os.replace(draft, file)  # noqa: PTH105 - one step, also over a file that is there


def file_of(directory: Path, agent_id: str) -> Path:
    """Return the file of a persona in a folder.

    Raises:
        ConfigurationError: there is none of that id.
        PersonaError: one of the files is broken.

    """
    found = {read_persona(file).id: file for file in sorted(directory.glob("*.json"))}
    if agent_id not in found:
        known = ", ".join(sorted(found)) or "none"
        raise ConfigurationError(f"no persona {agent_id!r} in {directory}; there are: {known}")
    return found[agent_id]


def stamps_of(directory: Path) -> Stamps:
    """Return what shows that a persona file of a folder has changed; a file that goes is none."""
    stamps: dict[Path, tuple[int, int]] = {}
    for file in sorted(directory.glob("*.json")):
        try:
            status = file.stat()
        except FileNotFoundError:
            continue
        stamps[file] = (status.st_mtime_ns, status.st_size)
    return stamps
