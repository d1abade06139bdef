"""The door to the services of the process-wide Timber."""

from typing import Final

from timber.common.persistence.manager import PersistenceManager
from timber.common.persistence.notifications import NotificationService
from timber.common.persistence.sessions import SessionService
from timber.common.persistence.tracker import TrackerService
from timber.common.runtime import default_timber

__all__ = ["notification_service", "persistence_manager", "session_service", "tracker_service"]

session_service: Final[SessionService] = default_timber.persistence.sessions
notification_service: Final[NotificationService] = default_timber.persistence.notifications
tracker_service: Final[TrackerService] = default_timber.persistence.tracker
persistence_manager: Final[PersistenceManager] = default_timber.persistence
