"""How far erasures are, as people are told."""

from dataclasses import dataclass
from datetime import datetime

from timber.common.gdpr.certificate import Certificate, read_certificate
from timber.common.gdpr.saga import Erasing


@dataclass(frozen=True, kw_only=True)
class ErasureStatus:
    """How far an erasure is."""

    erasure_id: str
    tombstone: str
    """The keyed hash by which the keystore remembers the person."""
    step: str
    rows: int
    """How many rows it has deleted, anonymised or emptied so far; 0 when it is finished."""
    started_at: datetime
    finished_at: datetime | None
    certificate: Certificate | None
    """None while it is under way, and of those who were not in this database."""


def status_of(erasing: Erasing) -> ErasureStatus:
    """Return what is to be told of an erasure."""
    written = erasing.certificate
    return ErasureStatus(
        erasure_id=erasing.erasure_id,
        tombstone=erasing.tombstone,
        step=erasing.step.value,
        rows=sum(map(erasing.counts.total, ("deleted", "anonymised", "emptied"))),
        started_at=erasing.started_at,
        finished_at=erasing.finished_at,
        certificate=read_certificate(written) if written else None,
    )
