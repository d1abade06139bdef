"""
Shared test fixtures and configuration.
"""

import numpy as np  # CHANGED: used below, and never imported as printed.
import pytest
import os
from pathlib import Path
from typing import Generator
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker, Session

# CHANGED: `shutdown_timber` too, so that other tests of the process find Timber closed.
from timber.common import initialize_timber, shutdown_timber
from timber.common.models import Base
from timber.common.services.db_service import db_service
from timber.common.services.vector import vector_ingestion_service, vector_search_service
from timber.common.utils.config import config


# ============================================================================
# Session-level Fixtures (Run once per test session)
# ============================================================================

@pytest.fixture(scope='session')
def test_database_url():
    """Test database URL."""
    return os.getenv('TEST_DATABASE_URL', 'sqlite:///:memory:')


# CHANGED: once for this folder, not for the session, whose other tests have nothing to do with it.
@pytest.fixture(scope='package')
def initialize_timber_for_tests(test_database_url):
    """
    Initialize Timber once for all tests.
    """
    # Override database URL for tests
    config.DATABASE_URL = test_database_url

    # Initialize Timber
    initialize_timber(
        # CHANGED: an absolute path, so that the tests can be run from anywhere; to the models
        # of our example application, which are those that the guide's tests need.
        model_config_dirs=[
            str(Path(__file__).parents[3] / 'examples' / 'research_desk' / 'data' / 'models')
        ],
        enable_encryption=True,
        enable_gdpr=True,
        enable_auto_vector_ingestion=False,  # Manual control in tests
        create_tables=True
    )

    # Create all tables
    Base.metadata.create_all(bind=db_service.engine)

    yield

    # Cleanup
    Base.metadata.drop_all(bind=db_service.engine)
    shutdown_timber()  # CHANGED: see the import.


# ============================================================================
# Function-level Fixtures (Run for each test function)
# ============================================================================

@pytest.fixture
def db_session(initialize_timber_for_tests) -> Generator[Session, None, None]:
    """
    Provide a database session for each test.
    Automatically rolls back after each test.
    """
    with db_service.session_scope() as session:
        yield session
        # Rollback happens automatically via session_scope


# CHANGED: for every test. As printed, the second test that commits 'test-user-123' fails,
# for what was committed is not rolled back, and the samples say 'Cleanup handled by clean_database'.
@pytest.fixture(autouse=True)
def clean_database(db_session):
    """
    Clean all tables before each test.
    """
    # Delete all data from tables
    for table in reversed(Base.metadata.sorted_tables):
        db_session.execute(table.delete())
    db_session.commit()

    yield

    # CHANGED: a test that expects a failing commit leaves a session that must be rolled back first.
    db_session.rollback()

    # Cleanup after test
    for table in reversed(Base.metadata.sorted_tables):
        db_session.execute(table.delete())
    db_session.commit()


# ============================================================================
# Sample Data Fixtures
# ============================================================================

@pytest.fixture
def sample_user(db_session):
    """Create a sample user for testing."""
    from timber.common.models import get_model

    User = get_model('User')

    user = User(
        user_id='test-user-123',
        email='test@example.com',
        username='testuser'
    )
    db_session.add(user)
    db_session.commit()

    yield user

    # Cleanup handled by clean_database


@pytest.fixture
def sample_research_session(db_session, sample_user):
    """Create a sample research session."""
    from timber.common.models import get_model

    ResearchSession = get_model('StockResearchSession')

    session = ResearchSession(
        user_id=sample_user.user_id,
        ticker='AAPL',
        state='initialized',
        config={'analysis_type': 'fundamental'}
    )
    db_session.add(session)
    db_session.commit()

    yield session


# ============================================================================
# Mock Fixtures
# ============================================================================

@pytest.fixture
def mock_stock_data():
    """Mock stock data for testing."""
    import pandas as pd
    from datetime import datetime, timedelta

    dates = pd.date_range(
        end=datetime.now(),
        periods=30,
        freq='D'
    )

    data = pd.DataFrame({
        'Date': dates,
        'Open': 150 + np.random.randn(30) * 5,
        'High': 155 + np.random.randn(30) * 5,
        'Low': 145 + np.random.randn(30) * 5,
        'Close': 150 + np.random.randn(30) * 5,
        'Volume': 1000000 + np.random.randint(-100000, 100000, 30)
    })

    return data


@pytest.fixture
def mock_embedding_service(mocker):
    """Mock embedding service for testing."""
    mock = mocker.Mock()
    mock.generate_embedding.return_value = [0.1] * 384
    mock.generate_embeddings_batch.return_value = [[0.1] * 384] * 10
    # CHANGED: a test puts the mock into services that the next test uses, too; so it is taken out.
    for service in (vector_ingestion_service, vector_search_service):
        mocker.patch.object(service, 'embedding_service', service.embedding_service)
    return mock
