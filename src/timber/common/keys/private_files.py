"""Files and folders that nobody but their owner may read."""

import contextlib
import os
from pathlib import Path
from typing import Final

from timber.common.errors import KeystoreError

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_OTHERS: Final = 0o077
_HAS_MODES: Final = os.name == "posix"  # elsewhere the bits say nothing


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it; refuse one that is open to others.

    Raises:
        KeystoreError: it cannot be made, or others may look into it.

    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=FOLDER_MODE)
    except OSError as error:
        what = f"the folder {str(folder)!r} cannot be made: {error.strerror}"
        raise KeystoreError(what) from error
    refuse_open_to_others(folder, mode=FOLDER_MODE)


def make_private_file(file: Path) -> None:
    """Make an empty file that only its owner may read; one that is there is only looked at.

    Raises:
        KeystoreError: it cannot be made, or others may read it.

    """
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
    except OSError as error:
        raise KeystoreError(f"{str(file)!r} cannot be made: {error.strerror}") from error
    refuse_open_to_others(file, mode=FILE_MODE)


def refuse_open_to_others(path: Path, *, mode: int) -> None:
    """Do nothing if only its owner may use what is at `path`.

    Raises:
        KeystoreError: others may, too, or nobody can look.

    """
    try:
        found = path.stat().st_mode & 0o777
    except OSError as error:
        raise KeystoreError(f"{str(path)!r} cannot be looked at: {error.strerror}") from error
    if _HAS_MODES and found & _OTHERS:
        raise KeystoreError(
            f"{str(path)!r} is open to others ({found:o}), and keys are in it: "
            f"chmod {mode:o} {path}"
        )


def replace_file(file: Path, content: bytes) -> None:
    """Put a new content in the place of the old one, at once, for good, and wipe the old one.

    Raises:
        KeystoreError: it cannot be written.

    """
    new = file.with_name(f"{file.name}.new")
    try:
        with contextlib.ExitStack() as opened:
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
            with os.fdopen(descriptor, "wb") as written:
                written.write(content)
                written.flush()
                os.fsync(written.fileno())
            old = opened.enter_context(file.open("r+b")) if file.exists() else None
            new.replace(file)
            _sync_folder(file.parent)
            if old is not None:  # it has no name any more, but its bytes may be on the disk
                old.write(b"\0" * os.fstat(old.fileno()).st_size)
                old.flush()
                os.fsync(old.fileno())
    except OSError as error:
        raise KeystoreError(f"{str(file)!r} cannot be written: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    if not _HAS_MODES:
        return  # other systems do not open folders
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
