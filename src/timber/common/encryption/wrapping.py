"""Wraps secrets under another key, by AES-256-GCM, bound to the place where they are kept."""

import importlib
import secrets
from typing import TYPE_CHECKING, Final

from timber.common.errors import FeatureUnavailableError, KeystoreError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


def wrap(key: bytes, secret: bytes, *, place: bytes) -> bytes:
    """Return `secret`, sealed under the 32 bytes of `key` so that it opens at this place only.

    Raises:
        FeatureUnavailableError: the extra `encryption` is not installed.

    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, secret, place)


def unwrap(key: bytes, wrapped: bytes, *, place: bytes) -> bytes:
    """Return what was wrapped.

    Raises:
        KeystoreError: it was wrapped under another key, for another place, or was changed.
        FeatureUnavailableError: the extra `encryption` is not installed.

    """
    cipher = _cipher(key)
    try:
        return cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], place)
    except (_module("cryptography.exceptions").InvalidTag, ValueError) as error:
        raise KeystoreError(
            "a key in the keystore cannot be unwrapped: it was damaged, or moved from another "
            "place; restore the keystore from its backup"
        ) from error


def _cipher(key: bytes) -> "AESGCM":
    cipher: AESGCM = _module("cryptography.hazmat.primitives.ciphers.aead").AESGCM(key)
    return cipher


def _module(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a module of no fixed type
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise FeatureUnavailableError(
            "encryption", cure="pip install 'puppet-engine[encryption]'"
        ) from error
