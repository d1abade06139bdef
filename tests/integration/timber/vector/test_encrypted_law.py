"""The law of encrypted texts: they are found as their twins in clear are, in the same order.

The words of a query are of different stems: of one stem, FTS5 would count each of them in clear.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete, insert, text
from tests.integration.timber.vector import twins
from tests.integration.timber.vector.hashing import Hashing

from timber.common.runtime import Timber
from timber.common.vector.stems import asked_stems

pytestmark = pytest.mark.integration

WORDS = (
    *("harbour", "ships", "shipping", "waited", "waiting", "storm", "storms", "market", "markets"),
    *("running", "payment", "payments", "narwhal", "1042", "cats", "cat", "hunted", "hunts"),
    *("painting", "painted", "Berlin", "BERLIN"),
)
"""Words of which every database makes the same stems, and none of which it leaves out."""


def stem_of(word: str) -> str:
    [stem] = asked_stems(word)
    return stem


TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join), min_size=1, max_size=8
)
WEIGHTS = st.sampled_from([{"dense": 1.0}, {"text": 1.0}, {"dense": 0.7, "text": 0.3}])
QUERIES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique_by=stem_of).map(" ".join)


@pytest.fixture(params=["memory", "postgresql"])
def timber(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Timber]:
    url = "sqlite:///:memory:"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    with Timber().opened(twins.settings_of(url, tmp_path)) as opened:
        opened.vector_ingestion.embedding_service = Hashing()
        opened.vector_search.embedding_service = Hashing()
        twins.add_people(opened, "ann")
        yield opened


def store(timber: Timber, texts: list[str]) -> None:
    """Let both models have these texts, and no others."""
    with timber.database.session_scope() as session:
        session.execute(text("DELETE FROM vector_outbox"))
        for name in ("Clear", "Dark"):
            model = timber.models.get(name)
            session.execute(delete(model))
            rows = [
                {"id": f"{number}", "user_id": "ann", "body": body}
                for number, body in enumerate(texts)
            ]
            session.execute(insert(model), rows)
    timber.vector_ingestion.process_pending()


def found(
    timber: Timber, source: str, query: str, weights: dict[str, float]
) -> list[tuple[str, str, float]]:
    results = timber.vector_search.search(query, source, weights=weights)
    return [(one["source_id"], one["content"], one["score"]) for one in results]


def about(results: list[tuple[str, str, float]]) -> Any:
    """Return what equals them, and those whose scores differ by a rounding."""
    return [(key, content, pytest.approx(score)) for key, content, score in results]


@given(TEXTS, QUERIES, WEIGHTS)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_same_documents_in_the_same_order(
    timber: Timber, texts: list[str], query: str, weights: dict[str, float]
) -> None:
    store(timber, texts)

    dark = found(timber, "dark_notes", query, weights)
    told = about(found(timber, "clear_notes", query, weights))
    assert dark == told


def test_words_of_one_stem_count_once(timber: Timber) -> None:
    store(timber, ["harbour", "market"])
    by_words = {"text": 1.0}

    once = found(timber, "clear_notes", "harbour market", by_words)

    assert [key for key, _, _ in once] == ["0", "1"]
    for query in ("harbour market markets", "harbour markets market markets"):
        assert found(timber, "dark_notes", query, by_words) == about(once)


def test_in_clear_words_of_one_stem_count_once_on_postgresql_only(timber: Timber) -> None:
    store(timber, ["harbour", "market"])
    is_sqlite = timber.database.engine.dialect.name == "sqlite"

    results = found(timber, "clear_notes", "harbour market markets", {"text": 1.0})

    market, harbour = ("1", "market", 1.0), ("0", "harbour", 0.5 if is_sqlite else 1.0)
    assert results == about([market, harbour] if is_sqlite else [harbour, market])
