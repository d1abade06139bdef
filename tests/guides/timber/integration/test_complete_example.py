"""
Complete testing example for a research workflow.
"""

import pytest
from datetime import datetime
from timber.common.models import get_model
from timber.common.services.persistence import persistence_manager


class TestCompleteResearchWorkflow:
    """Complete testing example."""

    @pytest.fixture
    def research_setup(self, clean_database, sample_user):
        """Setup research environment."""
        # Create test data
        data = {
            'user': sample_user,
            'ticker': 'AAPL',
            'config': {
                'analysis_type': 'fundamental',
                'timeframe': '1Y'
            }
        }
        yield data
        # Cleanup handled by clean_database

    def test_create_research_session(self, research_setup):
        """Test session creation."""
        session_id = persistence_manager.create_research_session(
            user_id=research_setup['user'].user_id,
            ticker=research_setup['ticker'],
            session_type='stock_research',
            config=research_setup['config']
        )

        assert session_id is not None

        # Verify session
        session = persistence_manager.get_research_session(
            session_id,
            'stock_research'
        )

        assert session.ticker == 'AAPL'
        assert session.state == 'initialized'

    def test_process_research(self, research_setup):
        """Test research processing."""
        # Create session
        session_id = persistence_manager.create_research_session(
            user_id=research_setup['user'].user_id,
            ticker=research_setup['ticker'],
            session_type='stock_research'
        )

        # Update to processing
        persistence_manager.update_research_session(
            session_id,
            'stock_research',
            state='processing',
            data={'progress': 0.5}
        )

        # Verify update
        session = persistence_manager.get_research_session(
            session_id,
            'stock_research'
        )

        assert session.state == 'processing'
        assert session.data['progress'] == 0.5

    def test_complete_workflow(self, research_setup, mock_stock_data):
        """Test complete workflow end-to-end."""
        # 1. Create session
        session_id = persistence_manager.create_research_session(
            user_id=research_setup['user'].user_id,
            ticker=research_setup['ticker'],
            session_type='stock_research'
        )

        # 2. Process data
        persistence_manager.update_research_session(
            session_id,
            'stock_research',
            state='processing'
        )

        # 3. Complete analysis
        persistence_manager.update_research_session(
            session_id,
            'stock_research',
            state='completed',
            data={
                'score': 0.85,
                'recommendation': 'buy'
            }
        )

        # 4. Create notification
        notif_id = persistence_manager.create_notification(
            user_id=research_setup['user'].user_id,
            notification_type='success',
            title='Research Complete',
            message=f"{research_setup['ticker']} analysis completed"
        )

        # Verify complete workflow
        session = persistence_manager.get_research_session(
            session_id,
            'stock_research'
        )

        assert session.state == 'completed'
        assert session.data['score'] == 0.85
        assert notif_id is not None

    def test_error_handling(self, research_setup):
        """Test error handling."""
        # Test invalid session type
        with pytest.raises(ValueError):
            persistence_manager.create_research_session(
                user_id=research_setup['user'].user_id,
                ticker=research_setup['ticker'],
                session_type='invalid_type'
            )

        # Test invalid state transition
        session_id = persistence_manager.create_research_session(
            user_id=research_setup['user'].user_id,
            ticker=research_setup['ticker'],
            session_type='stock_research'
        )

        with pytest.raises(ValueError):
            persistence_manager.update_research_session(
                session_id,
                'stock_research',
                state='invalid_state'
            )


# Run tests
if __name__ == '__main__':
    pytest.main([__file__, '-v'])
