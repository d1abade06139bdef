"""
Performance tests.
"""

import pytest
import time
from concurrent.futures import ThreadPoolExecutor

# CHANGED: used below, and never imported as printed.
from timber.common.models import get_model
from timber.common.services.db_service import db_service
from timber.common.services.vector import vector_ingestion_service, vector_search_service


@pytest.mark.performance
class TestPerformance:
    """Performance tests."""

    def test_bulk_insert_performance(self, db_session):
        """Test bulk insert performance."""
        User = get_model('User')

        # Measure bulk insert time
        start_time = time.time()

        users = [
            User(
                user_id=f'user-{i}',
                email=f'user{i}@example.com',
                username=f'user{i}'
            )
            for i in range(1000)
        ]

        db_session.bulk_save_objects(users)
        db_session.commit()

        duration = time.time() - start_time

        print(f"Bulk insert of 1000 users: {duration:.2f}s")
        assert duration < 5.0  # Should complete in < 5 seconds

    def test_search_performance(self, db_session, mock_embedding_service):
        """Test search performance."""
        vector_search_service.embedding_service = mock_embedding_service

        # Ingest 1000 documents
        docs = [
            {
                'content': f'Document {i} content',
                'source_type': 'research_notes',
                'source_id': f'doc-{i}',
                'metadata': {}
            }
            for i in range(1000)
        ]

        vector_ingestion_service.ingest_documents_batch(docs)

        # Measure search time
        start_time = time.time()

        results = vector_search_service.search(
            query='test query',
            source_type='research_notes',
            limit=10
        )

        duration = time.time() - start_time

        print(f"Search time: {duration:.3f}s")
        assert duration < 1.0  # Should complete in < 1 second

    def test_concurrent_requests(self, db_session):
        """Test concurrent request handling."""
        User = get_model('User')

        def create_and_query_user(user_num):
            with db_service.session_scope() as session:
                # Create user
                user = User(
                    user_id=f'concurrent-{user_num}',
                    email=f'concurrent{user_num}@example.com',
                    username=f'concurrent{user_num}'
                )
                session.add(user)
                session.commit()

                # Query user
                retrieved = session.query(User)\
                    .filter_by(user_id=f'concurrent-{user_num}')\
                    .first()

                return retrieved is not None

        # Execute concurrent requests
        start_time = time.time()

        with ThreadPoolExecutor(max_workers=10) as executor:
            results = list(executor.map(create_and_query_user, range(100)))

        duration = time.time() - start_time

        print(f"100 concurrent requests: {duration:.2f}s")
        assert all(results)  # All should succeed
        assert duration < 10.0  # Should complete in < 10 seconds


@pytest.mark.performance
class TestMemoryUsage:
    """Memory usage tests."""

    def test_large_result_set_memory(self, db_session):
        """Test memory usage with large result sets."""
        import tracemalloc

        User = get_model('User')

        # Create large dataset
        users = [
            User(
                user_id=f'mem-test-{i}',
                email=f'memtest{i}@example.com',
                username=f'memtest{i}'
            )
            for i in range(10000)
        ]

        db_session.bulk_save_objects(users)
        db_session.commit()

        # Measure memory usage
        tracemalloc.start()

        # Query large result set
        all_users = db_session.query(User).all()

        current, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        print(f"Current memory: {current / 1024 / 1024:.2f} MB")
        print(f"Peak memory: {peak / 1024 / 1024:.2f} MB")

        assert peak / 1024 / 1024 < 100  # Should use < 100 MB
