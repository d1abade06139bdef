"""Signed ends of the chains, kept apart from the database: what is cut off before is missed."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from timber.common.audit.chain import canonical
from timber.common.errors import AuditError

_KIND: Final = "timber audit anchor 1"


@dataclass(frozen=True)
class Head:
    """The last entry of a lane."""

    position: int
    hash: str
    """In hexadecimal."""


@dataclass(frozen=True)
class Anchor:
    """Where all chains ended at a moment."""

    moment: datetime
    heads: Mapping[int, Head]

    def written(self, key: bytes) -> str:
        """Return it as JSON, signed with the key of the chains."""
        facts = self._facts()
        return json.dumps({**facts, "signature": _signature(key, facts)}, indent=2) + "\n"

    def _facts(self) -> dict[str, Any]:
        return {
            "kind": _KIND,
            "moment": self.moment.astimezone(UTC).isoformat(),
            "heads": {
                str(lane): {"position": head.position, "hash": head.hash}
                for lane, head in sorted(self.heads.items())
            },
        }


def read_anchor(text: str, key: bytes, *, where: str) -> Anchor:
    """Return the anchor that was written there.

    Raises:
        AuditError: it is none, or not signed with this key.

    """
    try:
        facts = json.loads(text)
        signature = facts.pop("signature")
        anchor = Anchor(
            datetime.fromisoformat(facts["moment"]),
            {
                int(lane): Head(int(one["position"]), str(one["hash"]))
                for lane, one in facts["heads"].items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AuditError(f"{where} is no anchor: make one with `timber audit anchor`") from error
    if not hmac.compare_digest(str(signature), _signature(key, facts)):
        raise AuditError(
            f"{where} was changed, or belongs to another keystore: take the anchor as it was "
            "written, and the keystore that it was written with"
        )
    return anchor


def load_anchor(file: Path, key: bytes) -> Anchor:
    """Return the anchor of a file.

    Raises:
        AuditError: there is none, or it is not signed with this key.

    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"{str(file)!r} cannot be read: {error}") from error
    return read_anchor(text, key, where=repr(str(file)))


def _signature(key: bytes, facts: Mapping[str, Any]) -> str:
    return hmac.digest(key, b"anchor" + canonical(facts), "sha256").hex()
