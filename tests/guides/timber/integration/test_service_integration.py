"""
Integration tests for service interactions.
"""

import pytest
from timber.common.services.persistence import persistence_manager


class TestServiceIntegration:
    """Tests for service integration."""

    def test_complete_research_workflow(self, db_session, sample_user):
        """Test complete research workflow using multiple services."""
        # 1. Create session
        session_id = persistence_manager.create_research_session(
            user_id=sample_user.user_id,
            ticker='AAPL',
            session_type='stock_research'
        )

        assert session_id is not None

        # 2. Track session start
        persistence_manager.track_event(
            user_id=sample_user.user_id,
            event_type='research_started',
            event_data={'session_id': session_id}
        )

        # 3. Update session with results
        persistence_manager.update_research_session(
            session_id,
            'stock_research',
            state='completed',
            data={'score': 0.85}
        )

        # 4. Create notification
        notification_id = persistence_manager.create_notification(
            user_id=sample_user.user_id,
            notification_type='success',
            title='Research Complete',
            message='AAPL analysis completed'
        )

        assert notification_id is not None

        # Verify entire workflow
        session = persistence_manager.get_research_session(
            session_id,
            'stock_research'
        )
        assert session.state == 'completed'
        assert session.data['score'] == 0.85
