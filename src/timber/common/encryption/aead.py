"""The only module that knows the library of ciphers, which is an extra."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from timber.common.errors import FeatureUnavailableError, TamperedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TAG_BYTES = 16


class Cipher(Protocol):
    """AES-256-GCM with a key of its own."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the ciphertext, with the tag at its end."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return what was encrypted; raise something if it was not encrypted so."""
        ...


def require_ciphers() -> None:
    """Make sure that values can be sealed here.

    Raises:
        FeatureUnavailableError: the library is not installed.

    """
    if find_spec("cryptography") is None:
        raise FeatureUnavailableError("encryption", cure="pip install 'puppet-engine[encryption]'")


def new_cipher(secret: bytes) -> "AESGCM":
    """Return AES-256-GCM with a key of 32 bytes."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an extra

    return AESGCM(secret)


def opened(cipher: Cipher, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """Return what was encrypted.

    Raises:
        TamperedError: it was not encrypted with this key, or not about this.

    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

    try:
        return cipher.decrypt(nonce, sealed, associated)
    except InvalidTag:
        raise TamperedError("it was changed, or belongs to another place") from None


def derived(root: bytes, about: bytes) -> bytes:
    """Return the key of 32 bytes that HKDF-SHA256 (RFC 5869) makes of a root for one use."""
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 - an extra

    return HKDF(algorithm=SHA256(), length=32, salt=None, info=about).derive(root)
