"""The law of encrypted texts: they are found as their twins in clear are, in the same order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete, insert, text
from tests.integration.timber.vector import twins
from tests.integration.timber.vector.hashing import Hashing

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

WORDS = (
    *("harbour", "ships", "shipping", "waited", "waiting", "storm", "storms", "market", "markets"),
    *("running", "payment", "payments", "narwhal", "1042", "cats", "cat", "hunted", "hunts"),
    *("painting", "painted", "Berlin", "BERLIN"),
)
"""Words of which every database makes the same stems, and none of which it leaves out."""

TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join), min_size=1, max_size=8
)
WEIGHTS = st.sampled_from([{"dense": 1.0}, {"text": 1.0}, {"dense": 0.7, "text": 0.3}])
QUERIES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)


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


@given(
    TEXTS, QUERIES, st.sampled_from([{"dense": 1.0}, {"text": 1.0}, {"dense": 0.7, "text": 0.3}])
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_same_documents_in_the_same_order(
    timber: Timber, texts: list[str], query: str, weights: dict[str, float]
) -> None:
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

    clear, dark = (
        timber.vector_search.search(query, source, weights=weights)
        for source in ("clear_notes", "dark_notes")
    )

    told = [(one["source_id"], one["content"], pytest.approx(one["score"])) for one in clear]
    assert [(one["source_id"], one["content"], one["score"]) for one in dark] == told
