"""What we sign by ourselves is signed as oauthlib signs it."""

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, strategies as st
from oauthlib.oauth1 import Client as Signer
from oauthlib.oauth1.rfc5849.signature import base_string_uri

from puppet_engine.twitter.client import CREDENTIALS
from puppet_engine.twitter.signature import authorization, base_uri

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.text("abcxyzäß.~-_ &=+%@", min_size=1, max_size=12).filter(
    lambda name: not name.startswith("oauth_")
)
KEYS = st.lists(TEXTS.filter(bool), min_size=4, max_size=4)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    route=st.sampled_from(["/2/tweets", "/2/users/1/mentions", "/"]),
    query=st.dictionaries(NAMES, TEXTS, max_size=5),
    keys=KEYS,
)
def test_every_request_is_signed_as_oauthlib_signs_it(
    method: str, route: str, query: dict[str, str], keys: list[str]
) -> None:
    url = f"https://api.x.com{route}"
    whole = f"{url}?{urlencode(query, quote_via=quote)}" if query else url
    key, secret, token, token_secret = keys
    signer = Signer(
        key,
        secret,
        token,
        token_secret,
        nonce="4572616e48616d6d65724c61686176",
        timestamp="1318622958",
    )

    ours = authorization(
        method,
        url,
        query,
        keys=dict(zip(CREDENTIALS, keys, strict=True)),
        timestamp=1318622958,
        nonce="4572616e48616d6d65724c61686176",
    )

    _, headers, _ = signer.sign(whole, method)  # type: ignore[arg-type]  # any method
    assert headers["Authorization"] == ours


@pytest.mark.parametrize(
    "uri",
    [
        "https://api.x.com/2/tweets",
        "HTTPS://API.X.com:443/2/tweets?a=b",
        "http://127.0.0.1:8080/2/tweets/20",
        "http://127.0.0.1:80",
        "http://[::1]:8080/2/users/me",
    ],
)
def test_an_address_is_signed_without_its_query_and_its_usual_port(uri: str) -> None:
    assert base_uri(uri) == base_string_uri(uri)
