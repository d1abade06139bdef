"""Ed25519 signatures; the only module here that knows the library for them."""

import base64
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from timber.common.errors import FeatureUnavailableError


@dataclass(frozen=True)
class Signer:
    """Signs by a secret of 32 bytes."""

    secret: bytes

    @override
    def __repr__(self) -> str:
        """Return nothing of the secret."""
        return "<a signer>"

    @property
    def public_key(self) -> str:
        """By what signatures are verified, in base64."""
        raw: bytes = self._key().public_key().public_bytes_raw()
        return base64.b64encode(raw).decode()

    def sign(self, message: bytes) -> str:
        """Return the signature, in base64."""
        signature: bytes = self._key().sign(message)
        return base64.b64encode(signature).decode()

    def _key(self) -> Any:
        return _library().Ed25519PrivateKey.from_private_bytes(self.secret)


def is_signed(message: bytes, signature: str, public_key: str) -> bool:
    """Tell whether the signature is that of the message, by the key; both in base64."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra brings it

    try:
        key = _library().Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        key.verify(base64.b64decode(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise FeatureUnavailableError(
            "a signed certificate", cure="pip install 'puppet-engine[encryption]'"
        ) from error
    return ed25519
