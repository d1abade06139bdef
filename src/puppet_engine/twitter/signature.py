"""OAuth 1.0a signatures (RFC 5849, HMAC-SHA1) of requests whose body is no form.

Every call is signed once and, in rehearsals, checked once: `oauthlib` takes ten times as long.
Tests hold each of these functions against it.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlsplit

METHOD: Final = "HMAC-SHA1"

_USUAL_PORTS: Final = {"http": 80, "https": 443}


def escaped(text: str) -> str:
    """Return a text percent-encoded (section 3.6)."""
    return quote(text, safe="~")


def signature(
    method: str,
    uri: str,
    parameters: Iterable[tuple[str, str]],
    *,
    client_secret: str,
    token_secret: str,
) -> str:
    """Return the signature of a request (sections 3.4.1 and 3.4.2).

    `uri` has no query; its `parameters` are those of the query and of the protocol, decoded.
    """
    encoded = sorted((escaped(name), escaped(value)) for name, value in parameters)
    normalized = "&".join(f"{name}={value}" for name, value in encoded)
    base = f"{method.upper()}&{escaped(base_uri(uri))}&{escaped(normalized)}"
    key = f"{escaped(client_secret)}&{escaped(token_secret)}"
    digest = hmac.digest(key.encode(), base.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def base_uri(uri: str) -> str:
    """Return an address as it is signed: without its query, and without a usual port."""
    parts = urlsplit(uri)
    scheme, host = parts.scheme.lower(), (parts.hostname or "")
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in {None, _USUAL_PORTS.get(scheme)} else f":{parts.port}"
    return f"{scheme}://{host}{port}{parts.path or '/'}"


def authorization(
    method: str,
    uri: str,
    query: Mapping[str, str],
    *,
    keys: Mapping[str, str],
    timestamp: int,
    nonce: str,
) -> str:
    """Return the header by which a request proves who sends it (section 3.5.1).

    `keys` has `api_key`, `api_secret`, `access_token` and `access_token_secret`.
    """
    protocol = {
        "oauth_nonce": nonce,
        "oauth_timestamp": f"{timestamp}",
        "oauth_version": "1.0",
        "oauth_signature_method": METHOD,
        "oauth_consumer_key": keys["api_key"],
        "oauth_token": keys["access_token"],
    }
    protocol["oauth_signature"] = signature(
        method,
        uri,
        [*query.items(), *protocol.items()],
        client_secret=keys["api_secret"],
        token_secret=keys["access_token_secret"],
    )
    return "OAuth " + ", ".join(f'{name}="{escaped(value)}"' for name, value in protocol.items())
