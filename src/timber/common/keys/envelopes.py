"""The secrets of a keystore, wrapped under its master keys and bound to their places in it."""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from timber.common.encryption.wrapping import unwrap, wrap
from timber.common.errors import KeystoreError, MasterKeyError
from timber.common.keys.base import MasterKeys

Kind = Literal["data", "subject", "index", "purpose", "proof"]

_PROVEN: Final = b"timber"


@dataclass(frozen=True)
class Place:
    """Where a secret stands in a keystore."""

    kind: Kind
    name: bytes
    version: int


class Envelopes:
    """Wraps and unwraps what one keystore keeps."""

    def __init__(self, masters: MasterKeys, store_id: bytes) -> None:
        self._masters = masters
        self._store_id = store_id
        self._known: Mapping[int, bytes] = {}

    def wrap(self, secret: bytes, place: Place, *, master: int) -> bytes:
        """Return a secret, wrapped under the master key of that version.

        Raises:
            MasterKeyError: there is no such master key here.

        """
        return wrap(self._master(master), secret, place=self._bound(place, master))

    def unwrap(self, wrapped: bytes, place: Place, *, master: int) -> bytes:
        """Return a secret.

        Raises:
            MasterKeyError: its master key is not here.
            KeystoreError: it was damaged, or it is of another place.

        """
        return unwrap(self._master(master), wrapped, place=self._bound(place, master))

    def proof(self, master: int) -> bytes:
        """Return what shows later that a master key is this one."""
        return self.wrap(_PROVEN, Place("proof", b"", 0), master=master)

    def check(self, proof: bytes, *, master: int) -> None:
        """Do nothing, if the master key of that version is the one that made the proof.

        Raises:
            MasterKeyError: it is another one, or there is none.

        """
        key = self._master(master)
        try:
            self.unwrap(proof, Place("proof", b"", 0), master=master)
        except KeystoreError as error:
            raise MasterKeyError(
                f"the master key of version {master} in {self._masters.where} "
                f"({fingerprint(key)}) is not the one of this keystore: give the right one"
            ) from error

    def _master(self, version: int) -> bytes:
        if version not in self._known:
            self._known = self._masters.read()  # another process may have made it
        key = self._known.get(version)
        if key is None:
            there = ", ".join(map(str, sorted(self._known))) or "none"
            raise MasterKeyError(
                f"keys are wrapped under the master key of version {version}, and "
                f"{self._masters.where} has it not (there: {there}): restore it from its backup"
            )
        return key

    def _bound(self, place: Place, master: int) -> bytes:
        numbers = struct.pack(">IIH", master, place.version, len(place.name))
        return b"timber-key/" + place.kind.encode() + numbers + place.name + self._store_id


def fingerprint(key: bytes) -> str:
    """Return by what people tell master keys apart, and nobody can find one."""
    return hashlib.sha256(b"timber-master-key/" + key).hexdigest()[:8]
