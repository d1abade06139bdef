"""Which network an account is on: the built-in ones, and those that others add."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from puppet_engine.core.clock import Clock
from puppet_engine.core.plugins import find_plugin
from puppet_engine.networks import x
from puppet_engine.networks.base import SocialNetwork

Connect = Callable[[Mapping[str, str], Clock], SocialNetwork]

GROUP: Final = "puppet_engine.networks"

BUILT_IN: Final[Mapping[str, Connect]] = MappingProxyType({"x": x.create})


def connect(network: str, account: Mapping[str, str], clock: Clock) -> SocialNetwork:
    """Return an account on a network, by the network's name and the account's keys.

    Raises:
        ConfigurationError: there is no such network, or its plug-in cannot be loaded.

    """
    found: Connect = find_plugin(GROUP, network, built_in=BUILT_IN)
    return found(account, clock)
