"""A certificate says what it was signed for, or it is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from timber.common.errors import ErasureError
from timber.common.gdpr.certificate import read_certificate, sign
from timber.common.gdpr.signing import Signer

FACTS = {"erasure": "1", "subject": "ab", "tables": {"notes": {"deleted": 3}}, "texts": 0}


def test_what_was_signed_is_verified_in_any_layout() -> None:
    certificate = sign(FACTS, Signer(b"k" * 32))

    compact = json.dumps(dict(reversed(json.loads(certificate.as_json()).items())))

    assert read_certificate(compact) == certificate
    assert certificate.count("deleted") == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts["tables"]["notes"].update(deleted=4),
        lambda facts: facts.update(more="than was signed"),
        lambda facts: facts.pop("texts"),
        lambda facts: facts.update(public_key=Signer(b"o" * 32).public_key),
        lambda facts: facts.update(signature="AAAA"),
        lambda facts: facts.update(signature=7),
        lambda facts: facts.update(public_key="no base64"),
        lambda facts: facts.pop("signature"),
    ],
)
def test_what_was_changed_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    facts = json.loads(sign(FACTS, Signer(b"k" * 32)).as_json())
    change(facts)

    with pytest.raises(ErasureError, match="was changed since it was signed"):
        read_certificate(json.dumps(facts))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "another"}', "\0"])
def test_what_is_none_is_told_so(text: str) -> None:
    with pytest.raises(ErasureError, match="this is no certificate"):
        read_certificate(text)


def test_a_signer_does_not_show_its_secret() -> None:
    assert repr(Signer(b"k" * 32)) == "<a signer>"
