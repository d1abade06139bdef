"""Which requests to a server on loopback come from this machine, and not from a stranger's page.

Nothing but this machine can connect, but a browser on it runs pages of strangers.
A page may have its own name resolve to 127.0.0.1, so the name in `Host` must be one of ours;
it may send a form to us blindly, so a change must not come from a foreign `Origin`.
"""

import ipaddress
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

OWN_NAMES: Final = frozenset({"localhost", "testserver"})
"""Names that no stranger's page can have; the second is the test client's."""

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing."""


def is_own_host(host: str, *, allowed: Collection[str] = OWN_NAMES) -> bool:
    """Say whether a `Host` header names loopback or an allowed name, with or without a port."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if not name or "@" in host:
        return False
    return name in allowed or _is_loopback(name)


def is_same_origin(headers: Mapping[str, str], *, host: str) -> bool:
    """Say whether a request comes from a page of `host`, or from no page at all.

    The names of the headers are in lower case, or `headers` does not care.
    """
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or origin.lower().partition("://")[2] == host.lower()


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
