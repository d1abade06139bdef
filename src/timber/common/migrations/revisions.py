"""The folder of steps: one file each, read by people before databases see it."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError

import timber.common.migrations.operations as _our_operations
import timber.common.migrations.seal_operations as _seal_operations
import timber.common.migrations.vector_operations as _vector_operations
from timber.common.errors import MigrationError

_ = (_our_operations, _seal_operations, _vector_operations)  # steps use them through `alembic.op`
_LONGEST_SLUG: Final = 50


@dataclass(frozen=True)
class Revision:
    """One step: a file that changes the tables, and changes them back."""

    name: str
    path: Path
    description: str
    checksum: str
    tables: frozenset[str]
    """The tables of all models as they were when the step was planned."""
    upgrade: Callable[[], None]
    downgrade: Callable[[], None]


class RevisionFolder:
    """Reads and writes the steps of one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Revision, ...]:
        """Return all steps, the first one first; none if there is no folder.

        Raises:
            MigrationError: a file cannot be read, or the steps are no single line.

        """
        if not self.path.is_dir():
            return ()
        try:
            directory = ScriptDirectory(self.path, version_locations=[self.path])
            scripts = [*directory.walk_revisions()][::-1]
        except (CommandError, RevisionError) as error:
            raise MigrationError(self._what_is_wrong(error)) from error
        except Exception as error:  # the files are Python, which can raise anything
            raise MigrationError(
                f"a step in {str(self.path)!r} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        self._refuse_branches(scripts)
        return tuple(_revision(script) for script in scripts)

    def next_name(self, known: Sequence[Revision], description: str) -> str:
        """Return the name of the step after those that are there."""
        slug = re.sub(r"[^a-z0-9]+", "_", description.lower()).strip("_")[:_LONGEST_SLUG]
        return f"{len(known) + 1:04}_{slug.strip('_') or 'change'}"

    def write(self, name: str, text: str) -> Path:
        """Write a step, and return its file.

        Raises:
            MigrationError: the file cannot be written.

        """
        file = self.path / f"{name}.py"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            raise MigrationError(f"{str(file)!r} cannot be written: {error.strerror}") from error
        return file

    def _refuse_branches(self, scripts: Sequence[Script]) -> None:
        followers: dict[Any, str] = {}
        for script in scripts:
            first = followers.setdefault(script.down_revision, script.revision)
            if first != script.revision:
                raise MigrationError(
                    f"{first!r} and {script.revision!r} in {str(self.path)!r} both follow "
                    f"{script.down_revision!r}: let one of them follow the other, "
                    "by its `down_revision`"
                )

    def _what_is_wrong(self, error: Exception) -> str:
        return f"the steps in {str(self.path)!r} do not fit together: {error}"


def _revision(script: Script) -> Revision:
    path, module = Path(script.path), script.module
    return Revision(
        name=script.revision,
        path=path,
        description=script.doc or script.revision,
        checksum=_checksum(path),
        tables=frozenset(getattr(module, "tables", ())),
        upgrade=module.upgrade,
        downgrade=module.downgrade,
    )


def _checksum(path: Path) -> str:
    # What a checkout does to line ends is no change of the step.
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
