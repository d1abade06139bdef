"""Wraps secrets under another key, bound to the place where they are kept."""

import secrets

from timber.common.encryption.aead import NONCE_BYTES, new_cipher, opened
from timber.common.errors import KeystoreError, TamperedError


def wrap(key: bytes, secret: bytes, *, place: bytes) -> bytes:
    """Return `secret`, sealed under the 32 bytes of `key` so that it opens at this place only."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + new_cipher(key).encrypt(nonce, secret, place)


def unwrap(key: bytes, wrapped: bytes, *, place: bytes) -> bytes:
    """Return what was wrapped.

    Raises:
        KeystoreError: it was wrapped under another key, for another place, or was changed.

    """
    try:
        return opened(new_cipher(key), wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], place)
    except (TamperedError, ValueError) as error:
        raise KeystoreError(
            "a key in the keystore cannot be unwrapped: it was damaged, or moved from another "
            "place; restore the keystore from its backup"
        ) from error
