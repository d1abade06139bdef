"""Master keys in a file that only its owner may read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from typing_extensions import override

from timber.common.errors import KeystoreError, MasterKeyError
from timber.common.keys.base import MasterKeys
from timber.common.keys.master_text import new_master_key, read_keys, write_keys
from timber.common.keys.private_files import (
    FILE_MODE,
    make_private_folder,
    refuse_open_to_others,
    replace_file,
)


class FileMasterKeys(MasterKeys):
    """The master keys in a file, a line each: `version:base64`."""

    def __init__(self, file: Path) -> None:
        self.file: Final = file

    @property
    @override
    def where(self) -> str:
        return f"the file {str(self.file)!r}"

    @property
    @override
    def is_kept_here(self) -> bool:
        return True

    @override
    def read(self) -> Mapping[int, bytes]:
        if not self.file.exists():
            return {}
        try:
            refuse_open_to_others(self.file, mode=FILE_MODE)
            text = self.file.read_text(encoding="ascii")
        except KeystoreError as error:
            raise MasterKeyError(str(error)) from error
        except OSError as error:
            raise MasterKeyError(f"{self.where} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            # Not `from error`: what it shows may be a part of a key.
            raise MasterKeyError(f"{self.where} holds no keys: restore its backup") from None
        return read_keys(text, where=self.where)

    @override
    def create(self, version: int) -> None:
        keys = dict(self.read())
        if version in keys:
            raise MasterKeyError(f"{self.where} has a key of version {version} already")
        self._write({**keys, version: new_master_key()})

    @override
    def destroy(self, version: int) -> None:
        keys = dict(self.read())
        if keys.pop(version, None) is not None:
            self._write(keys)

    def _write(self, keys: Mapping[int, bytes]) -> None:
        try:
            make_private_folder(self.file.parent)
            replace_file(self.file, write_keys(keys).encode("ascii"))
        except KeystoreError as error:
            raise MasterKeyError(str(error)) from error
