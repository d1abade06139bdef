"""Private keys, as people write them down. No error shows what was written."""

import hashlib
import re
from typing import Final

from solders.keypair import Keypair

from puppet_engine.core.errors import ConfigurationError

_REHEARSAL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


def read_keypair(private_key: str) -> Keypair:
    """Return the key that `private_key` is: base58, or the JSON array of its 64 bytes.

    Raises:
        ConfigurationError: it is neither.

    """
    written = private_key.strip()
    read = Keypair.from_json if written.startswith("[") else Keypair.from_base58_string
    try:
        return read(written)
    except ValueError:
        # Outside of this block nothing is chained: what solders says may quote the key.
        pass
    raise ConfigurationError(
        "the private key cannot be read: give a base58 keypair or the JSON array of its 64 bytes"
    )


def rehearsal_keypair(name: str) -> Keypair:
    """Return a key made from a short name, for rehearsals: whoever knows the name has the key.

    Raises:
        ConfigurationError: it is no such name; perhaps a key with a slip of the pen.

    """
    if not _REHEARSAL_NAME.fullmatch(name):
        return read_keypair(name)
    return Keypair.from_seed(hashlib.sha256(f"rehearsal wallet {name}".encode()).digest())
