"""Keys for agents whose database goes with the life that they live in it."""

from timber.common.encryption.base import Keystore
from timber.common.keys.passing import passing_keys

__all__ = ["Keystore", "passing_keys"]
