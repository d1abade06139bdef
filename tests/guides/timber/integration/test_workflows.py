"""
Tests for complete workflows.
"""

import pytest
from timber.common.models import get_model
from timber.common.services.db_service import db_service


class TestStockResearchWorkflow:
    """Tests for stock research workflow."""

    def test_complete_stock_research_workflow(
        self,
        db_session,
        sample_user,
        mock_stock_data
    ):
        """Test complete stock research workflow."""
        # Import workflow components
        # CHANGED: `your_app` is our example application.
        from examples.research_desk.workflows.stock_research import (
            initialize_research,
            fetch_data,
            analyze_data,
            generate_report,
            save_results
        )

        # 1. Initialize research
        session_id = initialize_research(
            user_id=sample_user.user_id,
            ticker='AAPL'
        )

        assert session_id is not None

        # 2. Fetch data (mocked)
        data = fetch_data('AAPL', session_id)
        assert data is not None

        # 3. Analyze data
        analysis = analyze_data(data, session_id)
        assert 'score' in analysis
        assert 0 <= analysis['score'] <= 1

        # 4. Generate report
        report = generate_report(analysis, session_id)
        assert report is not None
        assert 'summary' in report

        # 5. Save results
        success = save_results(session_id, report, analysis)
        assert success is True

        # Verify workflow completion
        ResearchSession = get_model('StockResearchSession')
        session = db_session.query(ResearchSession)\
            .filter_by(id=session_id)\
            .first()

        assert session.state == 'completed'
        assert session.data is not None


class TestPortfolioWorkflow:
    """Tests for portfolio management workflow."""

    def test_create_and_update_portfolio(self, db_session, sample_user):
        """Test portfolio creation and update."""
        # CHANGED: `your_app` is our example application.
        from examples.research_desk.workflows.portfolio import (
            create_portfolio,
            add_position,
            update_position,
            calculate_returns
        )

        # Create portfolio
        portfolio_id = create_portfolio(
            user_id=sample_user.user_id,
            name='Test Portfolio'
        )

        assert portfolio_id is not None

        # Add positions
        position_id = add_position(
            portfolio_id,
            ticker='AAPL',
            shares=100,
            entry_price=150.0
        )

        assert position_id is not None

        # Update position
        success = update_position(
            position_id,
            shares=150,
            current_price=155.0
        )

        assert success is True

        # Calculate returns
        returns = calculate_returns(portfolio_id)
        assert returns is not None
        assert 'total_return' in returns
