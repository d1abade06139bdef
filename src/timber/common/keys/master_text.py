"""How master keys are written, and those that an operator gives in a setting."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr
from typing_extensions import override

from timber.common.encryption.base import KEY_BYTES
from timber.common.errors import MasterKeyError
from timber.common.keys.base import MasterKeys

SETTING: Final = "TIMBER_MASTER_KEY"
_GIVE: Final = "give the base64 of 32 random bytes (`openssl rand -base64 32`)"


def read_keys(text: str, *, where: str) -> Mapping[int, bytes]:
    """Return the keys of `version:base64`, separated by commas or lines; one alone is version 1.

    Raises:
        MasterKeyError: it is not written so. The text of the error holds nothing of a key.

    """
    written = [part for part in text.replace("\n", ",").split(",") if part.strip()]
    keys: dict[int, bytes] = {}
    for place, part in enumerate(written, start=1):
        version, key = _read_key(part.strip(), named=f"{where}, key {place} of {len(written)}")
        if version in keys:
            raise MasterKeyError(f"{where}: version {version} is there twice; each has one key")
        keys[version] = key
    return keys


def write_keys(keys: Mapping[int, bytes]) -> str:
    """Return keys as `read_keys` reads them, a line each, the newest first."""
    return "".join(
        f"{version}:{base64.b64encode(keys[version]).decode('ascii')}\n"
        for version in sorted(keys, reverse=True)
    )


def new_master_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def _read_key(part: str, *, named: str) -> tuple[int, bytes]:
    version, colon, written = part.rpartition(":")
    if colon and not (version.isascii() and version.isdigit() and int(version) > 0):
        raise MasterKeyError(f"{named}: what stands before the colon is no version: write 1:…")
    try:
        key = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        # Not `from error`: what it shows may be a part of the key.
        raise MasterKeyError(f"{named} is not base64: {_GIVE}") from None
    if len(key) != KEY_BYTES:
        raise MasterKeyError(f"{named} has {len(key)} bytes, not {KEY_BYTES}: {_GIVE}")
    return int(version) if colon else 1, key


class GivenMasterKeys(MasterKeys):
    """The master keys of the setting `master_key`, which an operator makes and takes away."""

    def __init__(self, text: SecretStr) -> None:
        self._text = text

    @property
    @override
    def where(self) -> str:
        return f"{SETTING} (the setting `master_key`)"

    @property
    @override
    def is_kept_here(self) -> bool:
        return False

    @override
    def read(self) -> Mapping[int, bytes]:
        return read_keys(self._text.get_secret_value(), where=SETTING)

    @override
    def create(self, version: int) -> None:
        raise MasterKeyError(
            f"{self.where} has no key of version {version}, and nobody but you can put one there: "
            f"{_GIVE}, as `{version}:<the key>`, before those that are there, separated by a comma"
        )

    @override
    def destroy(self, version: int) -> None:
        raise MasterKeyError(f"take version {version} out of {self.where} yourself")


class MemoryMasterKeys(MasterKeys):
    """Master keys that end with the process, for databases that do so, too."""

    def __init__(self) -> None:
        self._keys: dict[int, bytes] = {}

    @property
    @override
    def where(self) -> str:
        return "memory"

    @property
    @override
    def is_kept_here(self) -> bool:
        return True

    @override
    def read(self) -> Mapping[int, bytes]:
        return dict(self._keys)

    @override
    def create(self, version: int) -> None:
        if version in self._keys:
            raise MasterKeyError(f"there is a master key of version {version} in memory already")
        self._keys[version] = new_master_key()

    @override
    def destroy(self, version: int) -> None:
        self._keys.pop(version, None)
