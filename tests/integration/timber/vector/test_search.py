"""Finding by meaning and by words, on each database."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from tests.lent_timbers import empty
from typing_extensions import override

from timber.common.errors import (
    EmbedderMismatchError,
    InvalidRequestError,
    NotOpenError,
    RecordNotFoundError,
)
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.clock import MORNING, FrozenClock

MODELS = """
models:
  - name: Article
    table_name: articles
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: body, type: Text}
      - {name: year, type: Integer}
    vector_search: {enabled: true, content_field: body, metadata_fields: [year]}
"""

SAME = {"car": "automobile", "cars": "automobile", "physician": "doctor", "sea": "ocean"}


class Thesaurus:
    """An embedder for which a text is the set of its words, synonyms being one."""

    model_id = "thesaurus"
    dimension = 256

    def __init__(self) -> None:
        self.asked: list[str] = []

    def generate_embedding(self, text: str, /) -> Sequence[float]:
        self.asked.append(text)
        vector = np.full(self.dimension, 1e-3)
        for word in text.lower().replace(".", " ").split():
            vector[crc32(SAME.get(word, word).encode()) % self.dimension] += 1
        return vector.tolist()

    def generate_embeddings_batch(self, texts: Sequence[str], /) -> Sequence[Sequence[float]]:
        return [self.generate_embedding(text) for text in texts]


@pytest.fixture(scope="module")
def clock_of_all() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    clock_of_all: FrozenClock,
) -> Iterator[Timber]:
    folder = tmp_path_factory.mktemp("search")
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")
    url = f"sqlite:///{folder}/search.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_module_url")
    settings = TimberSettings(
        database_url=url, model_config_dirs=(folder,), enable_auto_vector_ingestion=False
    )
    with Timber(clock=clock_of_all).opened(settings) as timber:
        yield timber


@pytest.fixture
def timber(opened: Timber, clock_of_all: FrozenClock) -> Timber:
    clock_of_all.move_to(MORNING)
    empty(opened)
    opened.vector_ingestion.embedding_service = Thesaurus()
    opened.vector_search.embedding_service = Thesaurus()
    return opened


def ingest(timber: Timber, *contents: str, **others: Any) -> None:
    """Take in notes whose keys are their numbers."""
    timber.vector_ingestion.ingest_documents_batch(
        {
            "content": content,
            "source_type": "notes",
            "source_id": str(number),
            **{key: values[number] for key, values in others.items()},
        }
        for number, content in enumerate(contents)
    )


def keys(results: Sequence[dict[str, Any]]) -> list[str]:
    return [one["source_id"] for one in results]


def test_results_are_dicts_with_what_the_guide_names(timber: Timber) -> None:
    ingest(timber, "A fast car", metadata=[{"colour": "red"}])

    [result] = timber.vector_search.search("car", "notes", limit=3)

    assert result.pop("score") == pytest.approx(1.0)
    assert result == {
        "content": "A fast car",
        "metadata": {"colour": "red"},
        "source_type": "notes",
        "source_id": "0",
    }


def test_what_means_the_same_is_found_without_a_common_word(timber: Timber) -> None:
    ingest(timber, "bread and butter", "fast cars", "the ocean")

    assert keys(timber.vector_search.search("automobile", "notes"))[0] == "1"
    assert keys(timber.vector_search.search("sea", "notes"))[0] == "2"


def test_names_are_found_by_their_words(timber: Timber) -> None:
    ingest(timber, "order XK-2091 was late", "order XK-2092 was late", "nothing was late")

    found = timber.vector_search.search("XK-2092", "notes", explain=True)

    assert found[0]["source_id"] == "1"
    assert found[0]["explain"]["text"]["rank"] == 1
    assert found[2]["explain"]["text"] is None


def test_each_leg_can_be_asked_alone(timber: Timber) -> None:
    ingest(timber, "a car", "an automobile", "a house")
    search = timber.vector_search.search

    words = search("automobile", "notes", weights={"text": 1})
    meaning = search("automobile", "notes", weights={"dense": 1})

    assert keys(words) == ["1"]
    assert set(keys(meaning)[:2]) == {"0", "1"}


def test_words_alone_need_no_embedder(timber: Timber) -> None:
    ingest(timber, "a car")
    embedder = Thesaurus()
    timber.vector_search.embedding_service = embedder

    timber.vector_search.search("car", "notes", weights={"text": 1})

    assert embedder.asked == []


def test_filters_and_owners_are_kept_to_and_the_limit_is_filled(timber: Timber) -> None:
    count = 400
    ingest(
        timber,
        *(f"report number {number}" for number in range(count)),
        metadata=[{"year": 2000 + number % 20} for number in range(count)],
        owner=["ann" if number % 2 else "bob" for number in range(count)],
    )
    search = timber.vector_search.search

    filtered = search("report", "notes", limit=20, filters={"year": {"$gte": 2019}})
    both = search("report", "notes", limit=30, filters={"year": 2018}, owner="bob")

    assert len(filtered) == 20
    assert {one["metadata"]["year"] for one in filtered} == {2019}
    assert len(both) == 20
    assert all(int(one["source_id"]) % 20 == 18 for one in both)
    assert search("report", "notes", filters={"year": 2018}, owner="ann") == []


def test_a_document_of_many_pieces_is_one_result_and_others_are_found_beside_it(
    timber: Timber,
) -> None:
    long = " ".join(f"The ocean is wide in chapter {number}." for number in range(4_000))
    ingest(timber, long, "a small sea", "the sea again")

    found = timber.vector_search.search("ocean", "notes", limit=3)

    assert sorted(keys(found)) == ["0", "1", "2"]
    longest = max(found, key=lambda one: len(one["content"]))
    assert longest["source_id"] == "0"
    assert len(longest["content"]) < len(long)


def test_all_kinds_of_texts_are_searched_unless_some_are_named(timber: Timber) -> None:
    ingest(timber, "a car")
    timber.vector_ingestion.ingest_document("an automobile", "mails", "m")
    search = timber.vector_search.search

    assert {one["source_type"] for one in search("car")} == {"notes", "mails"}
    assert {one["source_type"] for one in search("car", ["mails"])} == {"mails"}
    assert search("car", "unknown") == []


def test_a_row_is_found_as_soon_as_it_is_written_and_not_when_it_is_gone(timber: Timber) -> None:
    article = timber.models.get("Article")
    with timber.database.session_scope() as session:
        session.add(article(id="a", body="A car in the sea", year=2024))

    found = timber.vector_search.search("automobile", "articles", filters={"year": 2024})
    with timber.database.session_scope() as session:
        session.delete(session.get(article, "a"))

    assert keys(found) == ["a"]
    assert timber.vector_search.search("automobile", "articles") == []


def test_recent_documents_come_first_if_that_counts(
    timber: Timber, clock_of_all: FrozenClock
) -> None:
    ages = [400, 1, 60]
    ingest(
        timber,
        *["the same words"] * 3,
        occurred_at=[MORNING - timedelta(days=age) for age in ages],
    )
    search = timber.vector_search.search

    found = search("same words", "notes", recency=0.5, half_life_days=60, explain=True)
    then = search(
        "same words", "notes", recency=0.5, as_of=MORNING - timedelta(days=400), explain=True
    )

    assert keys(found) == ["1", "2", "0"]
    assert [one["explain"]["recency"] for one in found] == pytest.approx(
        [0.5 ** (1 / 60), 0.5, 0.5 ** (400 / 60)]
    )
    assert [one["explain"]["recency"] for one in then] == [1.0, 1.0, 1.0]


def test_important_documents_come_first_if_that_counts(timber: Timber) -> None:
    ingest(timber, *["the same words"] * 3, importance=[None, 0.9, 0.4])

    found = timber.vector_search.search("same words", "notes", importance=1.0, explain=True)

    assert keys(found) == ["1", "2", "0"]
    assert [one["explain"]["importance"] for one in found] == [0.9, 0.4, 0.0]


def test_diverse_results_do_not_repeat_one_another(timber: Timber) -> None:
    ingest(timber, "red car", "red car", "red car", "blue car of mine", "boat")
    search = timber.vector_search.search

    plain = search("red car", "notes", limit=2)
    diverse = search("red car", "notes", limit=2, diversity=0.6)

    assert {one["content"] for one in plain} == {"red car"}
    assert diverse[0]["content"] == "red car"
    assert diverse[1]["content"] != "red car"


def test_more_like_a_document_are_others_like_it(timber: Timber) -> None:
    ingest(timber, "a fast car", "an automobile race", "the wide ocean", "fast automobile")

    found = timber.vector_search.more_like_this("notes", "0", limit=2)

    assert "0" not in keys(found)
    assert keys(found)[0] == "3"
    with pytest.raises(RecordNotFoundError, match="'nothing'"):
        timber.vector_search.more_like_this("notes", "nothing")


def test_more_like_a_document_can_be_of_another_kind(timber: Timber) -> None:
    ingest(timber, "a fast car", "another fast car")
    timber.vector_ingestion.ingest_document("some automobile", "mails", "m")

    found = timber.vector_search.more_like_this("notes", "0", among="mails")

    assert keys(found) == ["m"]


def test_explain_tells_what_each_score_is_made_of(timber: Timber) -> None:
    ingest(timber, "a car", "a house")

    told = timber.vector_search.explain("car", "notes", limit=1, recency=0.25)

    [result] = told.pop("results")
    explained = result["explain"]
    parts = (
        told["weights"]["dense"] * explained["dense"]["share"]
        + told["weights"]["text"] * explained["text"]["share"]
        + told["weights"]["recency"] * explained["recency"]
    )
    assert result["score"] == pytest.approx(parts / sum(told["weights"].values()))
    assert (explained["dense"]["rank"], explained["text"]["rank"]) == (1, 1)
    assert told["pending"] == {}
    assert told["source_types"] == ["notes"]


def test_what_cannot_be_embedded_keeps_nothing_else_from_being_found(timber: Timber) -> None:
    class Picky(Thesaurus):
        @override
        def generate_embedding(self, text: str, /) -> Sequence[float]:
            if "poison" in text:
                raise RuntimeError("no")
            return super().generate_embedding(text)

    timber.vector_ingestion.embedding_service = Picky()
    article = timber.models.get("Article")
    with timber.database.session_scope() as session:
        session.add(article(id="bad", body="poison for cars"))
        session.add(article(id="good", body="a fine automobile"))

    found = timber.vector_search.search("automobile", "articles", explain=True)

    assert keys(found) == ["good"]
    assert found[0]["explain"]["pending"] == 1


def test_another_embedder_than_that_of_the_texts_is_refused(timber: Timber) -> None:
    class Other(Thesaurus):
        model_id = "other"

    ingest(timber, "a car")
    timber.vector_search.embedding_service = Other()

    with pytest.raises(EmbedderMismatchError, match="reembed"):
        timber.vector_search.search("car", "notes")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"query": " "}, "query: it is blank"),
        ({"query": 7}, "query: a text is needed, not a int"),
        ({"limit": 0}, "limit: 0"),
        ({"limit": 10_001}, "limit: 10001"),
        ({"limit": True}, "limit: True"),
        ({"filters": {"a": {"$like": 1}}}, "no operator '\\$like'"),
        ({"owner": 5}, "owner: a text"),
        ({"source_type": [""]}, "source_type: ''"),
        ({"source_type": [3]}, "source_type: 3"),
        ({"weights": {"vector": 1}}, "there is no 'vector'"),
        ({"weights": {"dense": 0, "text": 0}}, "one must be above 0"),
        ({"weights": {"dense": -1}}, "weights.dense: -1"),
        ({"weights": {"dense": float("nan")}}, "weights.dense: nan"),
        ({"recency": "much"}, "recency: 'much'"),
        ({"importance": True}, "importance: True"),
        ({"half_life_days": 0}, "half_life_days"),
        ({"diversity": 1.5}, "diversity: a number from 0 to 1"),
        ({"as_of": datetime(2030, 1, 1)}, "as_of: a datetime with a time zone"),  # noqa: DTZ001 - the fault
        ({"as_of": "now"}, "as_of"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_said(timber: Timber, options: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        timber.vector_search.search(**{"query": "car", "source_type": "notes", **options})


def test_a_half_life_of_ages_is_one(timber: Timber) -> None:
    ingest(timber, "a car", occurred_at=[datetime(1, 1, 2, tzinfo=UTC)])

    [found] = timber.vector_search.search(
        "car", "notes", recency=1, half_life_days=1e300, explain=True
    )

    assert found["explain"]["recency"] == pytest.approx(1.0, abs=0.01)


def test_the_event_loop_is_not_kept_waiting(timber: Timber) -> None:
    ingest(timber, "a car")

    found = asyncio.run(
        timber.database.call(timber.vector_search.search, "automobile", "notes", limit=1)
    )

    assert keys(found) == ["0"]


def test_a_search_before_opening_says_so() -> None:
    with pytest.raises(NotOpenError):
        Timber().vector_search.search("car")
