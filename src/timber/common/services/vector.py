"""The door to finding by meaning, of the process-wide Timber."""

from typing import Final

from timber.common.runtime import default_timber
from timber.common.vector.ingestion import VectorIngestionService
from timber.common.vector.search import VectorSearchService

__all__ = ["vector_ingestion_service", "vector_search_service"]

vector_ingestion_service: Final[VectorIngestionService] = default_timber.vector_ingestion
vector_search_service: Final[VectorSearchService] = default_timber.vector_search
