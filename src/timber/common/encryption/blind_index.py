"""Keyed hashes by which equal values are found, and nothing else is told of them."""

import hmac
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from timber.common.encryption.aead import derived
from timber.common.encryption.base import IndexKey
from timber.common.encryption.identities import part
from timber.common.modeling.features import Normaliser
from timber.common.modeling.sealed import INDEX_BYTES

_ABOUT: Final = b"timber blind index 1"

_NORMALISERS: Final[Mapping[Normaliser, Callable[[str], str]]] = MappingProxyType(
    {
        "exact": lambda text: text,
        "strip": str.strip,
        "casefold": lambda text: unicodedata.normalize("NFC", text.strip().casefold()),
    }
)


def normalised(value: Any, normalise: Normaliser) -> Any:
    """Return what counts as equal to a value; only texts have more than one spelling."""
    return _NORMALISERS[normalise](value) if isinstance(value, str) else value


def index_secret(root: IndexKey, table: str, column: str) -> bytes:
    """Return the key of one column's index."""
    return derived(root.secret, _ABOUT + part(b"t", table) + part(b"c", column))


def index_value(version: int, secret: bytes, written: bytes) -> bytes:
    """Return what the index holds for a value that is written as bytes."""
    return version.to_bytes(1, "big") + hmac.digest(secret, written, "sha256")[: INDEX_BYTES - 1]
