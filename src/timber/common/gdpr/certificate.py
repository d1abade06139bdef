"""What proves an erasure: it says what was done, is signed, and tells of nobody who it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from timber.common.errors import ErasureError
from timber.common.gdpr.signing import Signer, is_signed

FORMAT: Final = "timber-erasure-certificate/1"

STATEMENT: Final = (
    "The keys of the subject are destroyed, so whatever was sealed with them cannot be read, in "
    "backups neither. Backups made before the erasure may still hold what was not sealed, and "
    "keyed hashes of indexed values (blind indexes); whoever restores one with its keystore gets "
    "the erasure repeated at the next opening. The subject is named by a keyed hash alone, which "
    "only the holder of the keystore can compute."
)
_SIGNATURE: Final = "signature"


@dataclass(frozen=True)
class Certificate:
    """A signed statement about one erasure."""

    facts: Mapping[str, Any]
    """Everything it says, as JSON has it; `signature` among it."""

    @property
    def erasure_id(self) -> str:
        return str(self.facts["erasure"])

    @property
    def public_key(self) -> str:
        """The key that it says it is signed with, in base64."""
        return str(self.facts["public_key"])

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """By table how many rows were deleted, anonymised, emptied, unlinked, retained."""
        found: Mapping[str, Mapping[str, Any]] = self.facts["tables"]
        return found

    def count(self, what: str) -> int:
        """Return of how many rows, in all tables, that became."""
        return sum(int(one.get(what, 0)) for one in self.tables.values())

    def as_json(self) -> str:
        """Return it as it is to be kept; the signature holds for any layout of the same JSON."""
        return json.dumps(self.facts, indent=2, sort_keys=True, ensure_ascii=False)


def sign(facts: Mapping[str, Any], signer: Signer) -> Certificate:
    """Return a certificate that says so."""
    said = {"format": FORMAT, **facts, "statement": STATEMENT, "public_key": signer.public_key}
    return Certificate({**said, _SIGNATURE: signer.sign(_canonical(said))})


def read_certificate(text: str) -> Certificate:
    """Return the certificate that a text is, verified by the key that it names.

    Whether that key is the right one, only who knows it can tell.

    Raises:
        ErasureError: it is no certificate, or it was changed.

    """
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise ErasureError("this is no certificate: it is not JSON") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ErasureError(f"this is no certificate: it does not say `format: {FORMAT}`")
    said = {name: value for name, value in facts.items() if name != _SIGNATURE}
    if not is_signed(_canonical(said), str(facts.get(_SIGNATURE)), str(facts.get("public_key"))):
        raise ErasureError(
            "the certificate was changed since it was signed, or was never signed: its signature "
            "does not fit; take the original, as `timber gdpr status --json` has it"
        )
    return Certificate(facts)


def _canonical(facts: Mapping[str, Any]) -> bytes:
    written = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return written.encode()
