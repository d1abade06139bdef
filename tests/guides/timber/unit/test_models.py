"""
Unit tests for Timber models.
"""

import pytest
from datetime import datetime
from timber.common.models import get_model


class TestUserModel:
    """Tests for User model."""

    def test_create_user(self, db_session):
        """Test creating a user."""
        User = get_model('User')

        user = User(
            user_id='test-123',
            email='test@example.com',
            username='testuser'
        )

        db_session.add(user)
        db_session.commit()

        # Verify user was created
        retrieved = db_session.query(User)\
            .filter_by(user_id='test-123')\
            .first()

        assert retrieved is not None
        assert retrieved.email == 'test@example.com'
        assert retrieved.username == 'testuser'

    def test_user_timestamps(self, db_session):
        """Test that timestamps are set automatically."""
        User = get_model('User')

        user = User(
            user_id='test-123',
            email='test@example.com',
            username='testuser'
        )

        db_session.add(user)
        db_session.commit()

        # Check timestamps
        assert user.created_at is not None
        assert user.updated_at is not None
        assert user.created_at == user.updated_at

    def test_user_update_timestamp(self, db_session):
        """Test that updated_at changes on update."""
        import time

        User = get_model('User')

        user = User(
            user_id='test-123',
            email='test@example.com',
            username='testuser'
        )

        db_session.add(user)
        db_session.commit()

        original_updated_at = user.updated_at

        # Wait a moment
        time.sleep(0.1)

        # Update user
        user.email = 'updated@example.com'
        db_session.commit()

        # Check updated_at changed
        assert user.updated_at > original_updated_at

    def test_user_required_fields(self, db_session):
        """Test that required fields are enforced."""
        User = get_model('User')

        # Missing required field should raise error
        with pytest.raises(Exception):
            user = User(email='test@example.com')  # Missing user_id
            db_session.add(user)
            db_session.commit()


class TestResearchSessionModel:
    """Tests for ResearchSession model."""

    def test_create_research_session(self, db_session, sample_user):
        """Test creating a research session."""
        ResearchSession = get_model('StockResearchSession')

        session = ResearchSession(
            user_id=sample_user.user_id,
            ticker='AAPL',
            state='initialized',
            config={'analysis_type': 'fundamental'}
        )

        db_session.add(session)
        db_session.commit()

        # Verify session created
        assert session.id is not None
        assert session.ticker == 'AAPL'
        assert session.state == 'initialized'

    def test_session_state_transitions(self, db_session, sample_research_session):
        """Test state transitions."""
        session = sample_research_session

        # Transition to processing
        session.state = 'processing'
        db_session.commit()

        assert session.state == 'processing'

        # Transition to completed
        session.state = 'completed'
        db_session.commit()

        assert session.state == 'completed'

    def test_session_json_fields(self, db_session, sample_research_session):
        """Test JSON field storage and retrieval."""
        session = sample_research_session

        # Update config
        session.config = {
            'analysis_type': 'technical',
            'indicators': ['RSI', 'MACD'],
            'timeframe': '1D'
        }
        db_session.commit()

        # Retrieve and verify
        retrieved = db_session.query(type(session))\
            .filter_by(id=session.id)\
            .first()

        assert retrieved.config['analysis_type'] == 'technical'
        assert 'RSI' in retrieved.config['indicators']


class TestModelMixins:
    """Tests for model mixins."""

    def test_timestamp_mixin(self, db_session):
        """Test TimestampMixin functionality."""
        User = get_model('User')

        user = User(
            user_id='test-123',
            email='test@example.com',
            username='testuser'
        )

        db_session.add(user)
        db_session.commit()

        # Check both timestamps exist
        assert hasattr(user, 'created_at')
        assert hasattr(user, 'updated_at')
        assert user.created_at is not None
        assert user.updated_at is not None

    def test_soft_delete_mixin(self, db_session):
        """Test SoftDeleteMixin functionality."""
        # Assuming User has SoftDeleteMixin
        User = get_model('User')

        user = User(
            user_id='test-123',
            email='test@example.com',
            username='testuser'
        )

        db_session.add(user)
        db_session.commit()

        # Soft delete
        if hasattr(user, 'deleted_at'):
            user.deleted_at = datetime.now()
            db_session.commit()

            assert user.deleted_at is not None


class TestModelRelationships:
    """Tests for model relationships."""

    def test_user_research_sessions_relationship(self, db_session, sample_user):
        """Test User -> ResearchSessions relationship."""
        ResearchSession = get_model('StockResearchSession')

        # Create multiple sessions for user
        for ticker in ['AAPL', 'MSFT', 'GOOGL']:
            session = ResearchSession(
                user_id=sample_user.user_id,
                ticker=ticker,
                state='initialized'
            )
            db_session.add(session)

        db_session.commit()

        # Query user's sessions
        sessions = db_session.query(ResearchSession)\
            .filter_by(user_id=sample_user.user_id)\
            .all()

        assert len(sessions) == 3
        tickers = [s.ticker for s in sessions]
        assert 'AAPL' in tickers
        assert 'MSFT' in tickers
        assert 'GOOGL' in tickers
