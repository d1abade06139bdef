"""
Database integration tests.
"""

import pytest
from timber.common.models import get_model  # CHANGED: used below, and never imported as printed.
from timber.common.services.db_service import db_service


class TestDatabaseIntegration:
    """Tests for database operations."""

    def test_database_connection(self, initialize_timber_for_tests):
        """Test database connection."""
        assert db_service.check_connection() is True

    def test_transaction_rollback(self, db_session, sample_user):
        """Test transaction rollback on error."""
        User = get_model('User')

        initial_count = db_session.query(User).count()

        # Attempt invalid operation
        with pytest.raises(Exception):
            with db_service.session_scope() as session:
                user = User(
                    user_id='test-456',
                    email='test2@example.com',
                    username='testuser2'
                )
                session.add(user)

                # Force error
                raise Exception("Test error")

        # Verify rollback
        final_count = db_session.query(User).count()
        assert final_count == initial_count

    def test_concurrent_sessions(self, initialize_timber_for_tests):
        """Test multiple concurrent database sessions."""
        from concurrent.futures import ThreadPoolExecutor

        User = get_model('User')

        def create_user(user_num):
            with db_service.session_scope() as session:
                user = User(
                    user_id=f'test-{user_num}',
                    email=f'test{user_num}@example.com',
                    username=f'testuser{user_num}'
                )
                session.add(user)
                session.commit()
                return user.user_id

        # Create users concurrently
        with ThreadPoolExecutor(max_workers=5) as executor:
            user_ids = list(executor.map(create_user, range(10)))

        assert len(user_ids) == 10
        assert len(set(user_ids)) == 10  # All unique
