"""
Unit tests for Timber services.
"""

import pytest
from timber.common.services.persistence import (
    session_service,
    notification_service,
    tracker_service
)


class TestSessionService:
    """Tests for SessionService."""

    def test_create_session(self, db_session, sample_user):
        """Test creating a session."""
        session_id = session_service.create_session(
            session_type='stock_research',
            user_id=sample_user.user_id,
            initial_state='initialized',
            config={'ticker': 'AAPL'}
        )

        assert session_id is not None

        # Verify session exists
        session = session_service.get_session(session_id, 'stock_research')
        assert session is not None
        assert session.user_id == sample_user.user_id
        assert session.state == 'initialized'

    def test_transition_state(self, db_session, sample_research_session):
        """Test state transition."""
        session_id = sample_research_session.id

        # Transition state
        success = session_service.transition_state(
            session_id,
            'stock_research',
            'processing'
        )

        assert success is True

        # Verify state changed
        session = session_service.get_session(session_id, 'stock_research')
        assert session.state == 'processing'

    def test_update_session_data(self, db_session, sample_research_session):
        """Test updating session data."""
        session_id = sample_research_session.id

        # Update data
        success = session_service.update_session_data(
            session_id,
            'stock_research',
            {'results': {'score': 0.85}}
        )

        assert success is True

        # Verify data updated
        session = session_service.get_session(session_id, 'stock_research')
        assert 'results' in session.data
        assert session.data['results']['score'] == 0.85


class TestNotificationService:
    """Tests for NotificationService."""

    def test_create_notification(self, db_session, sample_user):
        """Test creating a notification."""
        notification_id = notification_service.create_notification(
            user_id=sample_user.user_id,
            notification_type='info',
            title='Test Notification',
            message='This is a test message',
            data={'extra': 'data'}
        )

        assert notification_id is not None

        # Verify notification created
        notif = notification_service.get_notification(notification_id)
        assert notif is not None
        assert notif.title == 'Test Notification'
        assert notif.notification_type == 'info'

    def test_get_user_notifications(self, db_session, sample_user):
        """Test retrieving user notifications."""
        # Create multiple notifications
        for i in range(3):
            notification_service.create_notification(
                user_id=sample_user.user_id,
                notification_type='info',
                title=f'Notification {i}',
                message=f'Message {i}'
            )

        # Get notifications
        notifications = notification_service.get_user_notifications(
            sample_user.user_id,
            limit=10
        )

        assert len(notifications) == 3

    def test_mark_as_read(self, db_session, sample_user):
        """Test marking notification as read."""
        # Create notification
        notif_id = notification_service.create_notification(
            user_id=sample_user.user_id,
            notification_type='info',
            title='Test',
            message='Message'
        )

        # Mark as read
        success = notification_service.mark_as_read(notif_id)
        assert success is True

        # Verify marked
        notif = notification_service.get_notification(notif_id)
        assert notif.read is True
        assert notif.read_at is not None


class TestTrackerService:
    """Tests for TrackerService."""

    def test_track_event(self, db_session, sample_user):
        """Test tracking an event."""
        event_id = tracker_service.track_event(
            user_id=sample_user.user_id,
            event_type='page_view',
            event_data={'page': '/dashboard'}
        )

        assert event_id is not None

        # Verify event tracked
        event = tracker_service.get_event(event_id)
        assert event is not None
        assert event.event_type == 'page_view'
        assert event.event_data['page'] == '/dashboard'

    def test_get_user_events(self, db_session, sample_user):
        """Test retrieving user events."""
        # Track multiple events
        for i in range(5):
            tracker_service.track_event(
                user_id=sample_user.user_id,
                event_type='action',
                event_data={'action': f'action_{i}'}
            )

        # Get events
        events = tracker_service.get_user_events(
            sample_user.user_id,
            limit=10
        )

        assert len(events) == 5
