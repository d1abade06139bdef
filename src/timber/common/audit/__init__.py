"""A tamper-evident log of who created, changed, deleted or read the rows of audited models."""

from timber.common.audit.actors import acting

__all__ = ["acting"]
