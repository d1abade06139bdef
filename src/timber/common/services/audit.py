"""The door to the audit log of the process-wide Timber."""

from typing import Final

from timber.common.audit.actors import acting
from timber.common.audit.service import AuditService
from timber.common.runtime import default_timber

__all__ = ["acting", "audit_service"]

audit_service: Final[AuditService] = default_timber.audit
