"""
The examples of the guide's chapters "Best Practices" and "Troubleshooting".
"""

import pytest
from timber.common.models import get_model
from timber.common.services.db_service import db_service


# CHANGED: helpers that the guide uses without printing them.
def create_user(user_id):
    User = get_model('User')
    with db_service.session_scope() as session:
        user = User(user_id=user_id, email=f'{user_id}@example.com', username=user_id)
        session.add(user)
        session.commit()
        session.refresh(user)
        session.expunge(user)
    return user


def get_user(user_id):
    with db_service.session_scope() as session:
        return session.query(get_model('User')).filter_by(user_id=user_id).first()


def delete_user(user_id):
    with db_service.session_scope() as session:
        session.query(get_model('User')).filter_by(user_id=user_id).delete()


# ✅ Good: Each test is isolated
def test_create_user(clean_database):
    """Clean database ensures isolation."""
    user = create_user('test-1')
    assert user is not None


def test_delete_user(clean_database):
    """Starts with clean database."""
    user = create_user('test-2')
    delete_user(user.user_id)
    assert get_user('test-2') is None


# ✅ Good: Reusable fixture
@pytest.fixture
def research_with_data(sample_user):
    """Research session with sample data."""
    # CHANGED: the helpers are those of our example application.
    from examples.research_desk.workflows.stock_research import fetch_data, initialize_research

    session_id = initialize_research(user_id=sample_user.user_id, ticker='AAPL')
    return fetch_data('AAPL', session_id), session_id


def test_analyze_research(research_with_data):
    from examples.research_desk.workflows.stock_research import analyze_data

    results = analyze_data(*research_with_data)
    assert results is not None


def test_create_session_invalid_user():
    """Test error handling for invalid user."""
    from timber.common.services.persistence import session_service  # CHANGED: never imported.

    with pytest.raises(ValueError, match="User not found"):
        session_service.create_session(
            session_type='stock_research',
            user_id='nonexistent',
            initial_state='initialized'
        )


def test_transition_to_invalid_state(sample_research_session):
    """Test error handling for invalid state transition."""
    from timber.common.services.persistence import session_service  # CHANGED: never imported.

    session = sample_research_session  # CHANGED: `create_session` is never printed.

    with pytest.raises(ValueError, match="Invalid state transition"):
        session_service.transition_state(
            session.id,
            'stock_research',
            'invalid_state'
        )


@pytest.mark.parametrize('ticker,expected_valid', [
    ('AAPL', True),
    ('MSFT', True),
    ('INVALID', False),
    ('', False),
    (None, False),
])
def test_validate_ticker(ticker, expected_valid):
    """Test ticker validation with multiple inputs."""
    # CHANGED: `validate_ticker` is that of our example application.
    from examples.research_desk.workflows.stock_research import validate_ticker

    result = validate_ticker(ticker)
    assert result == expected_valid


def test_fetch_stock_data(mocker, monkeypatch):
    """Test with mocked external API."""
    # CHANGED: the application asks no external API before it is told which.
    monkeypatch.setenv('RESEARCH_DESK_QUOTES_URL', 'https://quotes.example/{ticker}')

    # Mock external API call
    mock_response = mocker.Mock()
    mock_response.json.return_value = {
        'symbol': 'AAPL',
        'price': 150.0
    }

    # CHANGED: we do not install `requests`; our HTTP client is httpx2.
    mocker.patch('httpx2.get', return_value=mock_response)

    # CHANGED: `fetch_stock_data` is that of our example application.
    from examples.research_desk.workflows.stock_research import fetch_stock_data

    # Test function
    data = fetch_stock_data('AAPL')
    assert data['price'] == 150.0


def test_something(clean_database, db_session):
    """Database is clean at start of each test."""
    pass


@pytest.mark.slow
def test_large_dataset():
    pass



def test_with_mocks(mock_stock_data):
    """Much faster than real API calls."""
    pass
