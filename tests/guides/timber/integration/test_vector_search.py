"""
Vector search integration tests.
"""

import pytest
from timber.common.services.vector import (
    vector_search_service,
    vector_ingestion_service
)


class TestVectorSearchIntegration:
    """Tests for vector search integration."""

    def test_ingest_and_search(self, db_session, mock_embedding_service):
        """Test document ingestion and search."""
        # Replace embedding service with mock
        vector_ingestion_service.embedding_service = mock_embedding_service
        vector_search_service.embedding_service = mock_embedding_service

        # CHANGED: the mock returns ten vectors whatever it is given; here are two documents.
        mock_embedding_service.generate_embeddings_batch.return_value = [[0.1] * 384] * 2

        # Ingest documents
        docs = [
            {
                'content': 'Apple shows strong revenue growth',
                'source_type': 'research_notes',
                'source_id': 'note-1',
                'metadata': {'ticker': 'AAPL'}
            },
            {
                'content': 'Microsoft Azure gaining market share',
                'source_type': 'research_notes',
                'source_id': 'note-2',
                'metadata': {'ticker': 'MSFT'}
            }
        ]

        results = vector_ingestion_service.ingest_documents_batch(docs)
        assert len(results) == 2

        # Search
        search_results = vector_search_service.search(
            query='cloud computing',
            source_type='research_notes',
            limit=10
        )

        assert len(search_results) > 0

    def test_search_with_filters(self, db_session, mock_embedding_service):
        """Test search with metadata filters."""
        vector_search_service.embedding_service = mock_embedding_service

        # Ingest with metadata
        vector_ingestion_service.ingest_document(
            content='Tech sector analysis',
            source_type='research_notes',
            source_id='note-1',
            metadata={'ticker': 'AAPL', 'sector': 'Technology'}
        )

        # Search with filters
        results = vector_search_service.search(
            query='analysis',
            source_type='research_notes',
            filters={'sector': 'Technology'},
            limit=10
        )

        assert all(r['metadata'].get('sector') == 'Technology' for r in results)
