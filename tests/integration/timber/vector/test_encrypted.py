"""Texts that are encrypted and found all the same: as their twins in clear are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from tests.integration.timber.encryption.conftest import stored
from tests.integration.timber.vector import twins
from tests.integration.timber.vector.hashing import Hashing
from tests.integration.timber.vector.twins import add, found
from typing_extensions import override

from timber.common.errors import EmbeddingError, RecordNotFoundError, TamperedError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

TEXTS = {
    "harbour": "Ships waited, old harbour",
    "ticket": "customer opened ticket ERR-1042: payments",
    "café": "Café meeting, discussed shipping payment",
    "tokyo": "東京都の天気 fine",
    "ship": "ship",
}


@pytest.fixture
def timber(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    with Timber().opened(twins.settings_of(database_url, tmp_path)) as opened:
        opened.vector_ingestion.embedding_service = Hashing()
        opened.vector_search.embedding_service = Hashing()
        twins.add_people(opened, "ann", "bob")
        yield opened


@pytest.fixture
def filled(timber: Timber) -> Timber:
    for model in ("Clear", "Dark"):
        for key, body in TEXTS.items():
            add(timber, model, id=key, title="Note", body=body, topic=key[:1])
    timber.vector_ingestion.process_pending()
    return timber


@pytest.mark.parametrize("leg", ["dense", "text"])
def test_a_sealed_text_is_found_as_its_twin_in_clear(filled: Timber, leg: str) -> None:
    for query in (*TEXTS.values(), "the payments", "wait", "ERR-1042", "1042", "京"):
        in_clear, sealed = (
            filled.vector_search.search(query, source, weights={leg: 1.0})
            for source in ("clear_notes", "dark_notes")
        )

        assert in_clear
        assert [_told(one) for one in sealed] == [_told(one) for one in in_clear]


def _told(result: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(result[name] for name in ("source_id", "content", "metadata"))


def test_neither_the_text_nor_a_word_of_it_is_stored(filled: Timber) -> None:
    add(filled, "Dark", title="Note", body="zanzibar zanzibars zanzibar-quagga")
    filled.vector_ingestion.process_pending()

    assert found(filled, "zanzibar", weights={"text": 1})
    assert found(filled, "zanzibar-quagga", weights={"text": 1})
    everything = stored(filled).lower()
    for word in ("zanzibar", "quagga"):
        assert word.encode() not in everything
        assert word.encode().hex().encode() not in everything


def test_the_order_of_its_words_is_not_told(filled: Timber) -> None:
    for body in ("alpha beta gamma", "gamma alpha beta"):
        add(filled, "Dark", body=body)
    filled.vector_ingestion.process_pending()

    first, second = [one.words for one in twins.pieces(filled)][-2:]

    assert len(first.split()) == 3
    assert first == second


def test_a_search_right_after_the_write_finds_it(timber: Timber) -> None:
    key = add(timber, "Dark", body="about narwhals")

    assert found(timber, "narwhal", weights={"text": 1}) == [key]
    assert found(timber, "about narwhals") == [key]


def test_filters_and_owners_work(filled: Timber) -> None:
    add(filled, "Dark", id="bobs", user_id="bob", title="Note", body="ship", topic="x")

    assert set(found(filled, "ship", owner="bob")) == {"bobs"}
    assert set(found(filled, "ship", filters={"topic": "h"})) == {"harbour"}


def test_a_change_of_the_text_is_followed_and_one_of_metadata_embeds_nothing(
    filled: Timber,
) -> None:
    dark = filled.models.get("Dark")
    embedder: Any = filled.vector_ingestion.embedding_service
    with filled.database.session_scope() as session:
        session.get_one(dark, "ship").body = "An aeroplane"
    with filled.database.session_scope() as session:
        session.execute(update(dark).where(dark.id == "harbour").values(topic="port"))
    embedder.embedded.clear()

    filled.vector_ingestion.process_pending()

    assert embedder.embedded == ["Note\n\nAn aeroplane"]
    assert found(filled, "aeroplane", weights={"text": 1}) == ["ship"]
    assert found(filled, "ships", filters={"topic": "port"}) == ["harbour"]


def test_a_row_that_goes_takes_everything_with_it(filled: Timber) -> None:
    with filled.database.session_scope() as session:
        session.execute(text("DELETE FROM dark_notes"))

    assert twins.pieces(filled) == []
    assert found(filled, "ship") == []


def test_more_like_one_is_found(filled: Timber) -> None:
    like = [
        [
            one["source_id"]
            for one in filled.vector_search.more_like_this(source, "harbour", limit=3)
        ]
        for source in ("clear_notes", "dark_notes")
    ]

    assert like[0] == like[1]
    with pytest.raises(RecordNotFoundError):
        filled.vector_search.more_like_this("dark_notes", "none")


def test_another_embedder_takes_over(filled: Timber) -> None:
    other = Hashing(model_id="other", dimension=4)
    filled.vector_ingestion.embedding_service = filled.vector_search.embedding_service = other

    filled.vector_ingestion.reembed("dark_notes")

    assert sorted(other.embedded)[1:] == sorted(f"Note\n\n{one}" for one in TEXTS.values())
    assert found(filled, "Note\n\nship", weights={"dense": 1})[0] == "ship"


def test_backfilling_what_has_not_changed_embeds_nothing(filled: Timber) -> None:
    embedder: Any = filled.vector_ingestion.embedding_service
    embedder.embedded.clear()
    before = twins.pieces(filled)

    filled.vector_ingestion.backfill("dark_notes")
    filled.vector_ingestion.process_pending()

    assert embedder.embedded == []
    assert twins.pieces(filled) == before


def test_a_text_at_another_place_is_not_opened(filled: Timber) -> None:
    with filled.database.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE vector_chunks SET sealed = (SELECT sealed FROM vector_chunks"
                " WHERE source_type = 'dark_notes' AND source_id = 'ship')"
                " WHERE source_type = 'dark_notes' AND source_id = 'harbour'"
            )
        )

    with pytest.raises(TamperedError):
        found(filled, "harbour", weights={"text": 1})


def test_no_error_of_an_embedder_quotes_the_text(
    timber: Timber, caplog: pytest.LogCaptureFixture
) -> None:
    class Talkative(Hashing):
        @override
        def generate_embeddings_batch(self, texts: Any) -> list[list[float]]:
            raise RuntimeError(f"cannot embed {texts}")

    add(timber, "Dark", body="canary-7315")
    timber.vector_ingestion.embedding_service = Talkative()

    with pytest.raises(EmbeddingError, match="why is not told") as failed:
        timber.vector_ingestion.process_pending()

    assert "canary" not in repr(failed.value.__context__)
    assert failed.value.__cause__ is None
    assert "canary" not in caplog.text
    [dark] = [one for one in timber.vector_ingestion.status() if one.waiting_chunks]
    assert dark.problems == ("EmbeddingError",)
