"""What the legs of a search find for who weighs by himself: the texts, by their shares."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from timber.common.runtime import Timber
from timber.common.vector import exact_search, matrix
from timber.common.vector.fulltext_postgresql import PostgresqlFullText
from timber.common.vector.indexes import Indexes
from timber.common.vector.memory_index import MemoryIndex
from timber.common.vector.partitions_postgresql import PostgresqlPartitions
from timber.common.vector.pgvector_index import PgvectorIndex
from timber.common.vector.shortlist import Shortlist
from timber.common.vector.steps import Asked, Steps

pytestmark = pytest.mark.integration

SAID = ("fog over the harbour", "fog at night", "a harbour in the sun", "bread and salt")


@pytest.fixture(autouse=True)
def _in_memory(timber: Timber, monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat even a few vectors as very many: keep them in memory, and compare in two threads."""
    monkeypatch.setattr(exact_search, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(matrix, "SHORTENED_FROM", 1)
    search = timber.vector_search
    search.embedding_service = timber.vector_ingestion.embedding_service
    if timber.database.engine.dialect.name == "postgresql":
        memory = MemoryIndex(partitions=PostgresqlPartitions(limit_bytes=1_000_000))
        vectors = PgvectorIndex(memory=memory, in_memory_from=0)
        monkeypatch.setattr(search, "_indexes", Indexes(vectors, PostgresqlFullText()))


def write(timber: Timber, owner: str, *bodies: str) -> list[str]:
    """Keep notes; return their ids."""
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        rows = [note(title="", body=body, topic="x", owner_id=owner) for body in bodies]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def shortlist(timber: Timber, query: str, *, owner: str = "ann", depth: int = 10) -> Shortlist:

    def as_it_is(found: Shortlist) -> Steps[Shortlist]:
        return found
        yield  # nothing is asked: a generator all the same

    return timber.vector_search.shortlist(query, "notes", owner=owner, depth=depth, weigh=as_it_is)


def best(shares: Mapping[str, float]) -> str:
    return max(shares, key=shares.__getitem__)


def change(timber: Timber, statement: str, source_id: str) -> None:
    with timber.database.session_scope() as session:
        where = "chunk_id = (SELECT chunk_id FROM vector_chunks WHERE source_id = :id)"
        session.execute(text(f"{statement} WHERE {where}"), {"id": source_id})


def test_the_best_of_each_leg_has_one_and_nothing_of_others_is_found(timber: Timber) -> None:
    ids = write(timber, "ann", *SAID)
    write(timber, "bob", SAID[0])

    found = shortlist(timber, SAID[0])

    assert best(found["dense"]) == best(found["text"]) == ids[0]
    assert found["dense"][ids[0]] == found["text"][ids[0]] == 1
    assert {*found["dense"]} == {*ids}
    assert {*found["text"]} == {*ids[:3]}
    assert found["cosine"][ids[0]] == pytest.approx(1, abs=1e-4)


def test_what_is_written_before_is_found_at_once(timber: Timber) -> None:
    write(timber, "ann", *SAID[1:])
    shortlist(timber, "fog")

    [late] = write(timber, "ann", SAID[0])

    found = shortlist(timber, SAID[0])
    assert best(found["dense"]) == best(found["text"]) == late


def test_a_text_that_lost_its_vector_is_found_by_its_words_alone_and_makes_room(
    timber: Timber,
) -> None:
    ids = write(timber, "ann", *SAID)
    shortlist(timber, SAID[0])

    change(timber, "DELETE FROM vector_embeddings", ids[0])

    first, second = (shortlist(timber, SAID[0], depth=3) for _ in range(2))
    assert ids[0] not in first["dense"]
    assert best(first["text"]) == ids[0]
    assert {*second["dense"]} == {*ids[1:]}


def test_what_was_given_to_somebody_else_is_theirs(timber: Timber) -> None:
    ids = write(timber, "ann", *SAID)
    write(timber, "bob", "wind")
    shortlist(timber, SAID[0])

    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.get_one(note, ids[0]).owner_id = "bob"

    assert ids[0] not in shortlist(timber, SAID[0])["dense"]
    assert best(shortlist(timber, SAID[0], owner="bob")["dense"]) == ids[0]


def test_several_who_search_at_once_find_what_each_finds_alone(timber: Timber) -> None:
    ids = write(timber, "ann", *SAID)
    alone = {said: shortlist(timber, said) for said in SAID}

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda said: shortlist(timber, said), SAID * 20))

    assert found == [alone[said] for said in SAID * 20]
    assert {*alone[SAID[0]]["dense"]} == {*ids}


def test_what_was_asked_of_those_that_have_gone_is_asked_again_without_them(
    timber: Timber,
) -> None:
    ids = write(timber, "ann", *SAID)
    shortlist(timber, SAID[0])
    change(timber, "DELETE FROM vector_embeddings", ids[0])
    weighed: list[set[str]] = []

    def weigh(found: Shortlist) -> Steps[None]:
        weighed.append({*found["dense"]})
        yield Asked("SELECT 1", {})

    timber.vector_search.shortlist(SAID[0], "notes", owner="ann", depth=10, weigh=weigh)

    assert weighed[-1] == {*ids[1:]}
