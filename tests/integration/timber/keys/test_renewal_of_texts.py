"""New keys for texts that are found by their meaning: nothing is embedded, and all is found."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.forks import Forks
from tests.integration.timber.vector import twins
from tests.integration.timber.vector.hashing import Hashing
from tests.integration.timber.vector.twins import add, found

from timber.common.failpoints import armed
from timber.common.keys.reindexing import IndexFailpoint
from timber.common.keys.rounds import RoundFailpoint
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

NUMBERS = range(20)
"""More than two pages."""


def use_hashing(timber: Timber) -> Hashing:
    timber.vector_ingestion.embedding_service = Hashing()
    timber.vector_search.embedding_service = embedder = Hashing()
    timber.vector_ingestion.embedding_service = embedder
    timber.key_renewal._rows_at_once = 8
    return embedder


def fill(timber: Timber) -> None:
    twins.add_people(timber, "ann", "bob")
    for number in NUMBERS:
        person = "bob" if number % 2 else "ann"
        add(timber, "Dark", id=f"{number:02}", user_id=person, body=f"narwhal number{number}")
    timber.vector_ingestion.process_pending()


@pytest.fixture(params=["file", "postgresql"])
def timber(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Timber]:
    url = f"sqlite:///{tmp_path}/app.db"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    with Timber().opened(twins.settings_of(url, tmp_path, twins.ONLY_DARK)) as opened:
        use_hashing(opened)
        fill(opened)
        yield opened


def versions(timber: Timber) -> set[int]:
    """Return the versions of the keys that pieces are sealed with."""
    return {int.from_bytes(bytes(one.sealed)[18:20], "big") for one in twins.pieces(timber)}


def test_new_data_keys_seal_pieces_anew_and_embed_nothing(timber: Timber) -> None:
    before = found(timber, "narwhal number7", limit=50)
    ids = [one.chunk_id for one in twins.pieces(timber)]
    embedder: Any = timber.vector_ingestion.embedding_service
    embedder.embedded.clear()

    renewal = timber.key_renewal.renew_data()

    assert renewal.rows == 2 * len(NUMBERS)
    assert renewal.unreadable.count == 0
    assert versions(timber) == {2}
    assert [one.chunk_id for one in twins.pieces(timber)] == ids
    with timber.database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM vector_outbox")) == 0
    assert timber.key_renewal.retire().kept == 0
    assert found(timber, "narwhal number7", limit=50) == before
    assert embedder.embedded == ["narwhal number7"]


def test_after_a_renewal_changes_are_followed_as_before(timber: Timber) -> None:
    timber.key_renewal.renew_data()

    with timber.database.session_scope() as session:
        session.get_one(timber.models.get("Dark"), "07").body = "a walrus"

    assert len(twins.pieces(timber)) == len(NUMBERS) - 1
    assert found(timber, "walrus", weights={"text": 1}) == ["07"]


def test_old_keys_are_kept_while_a_piece_needs_them(timber: Timber) -> None:
    timber.key_renewal.renew_data()
    with timber.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM dark_notes WHERE id <> '07'"))
        connection.execute(text("DELETE FROM vector_outbox"))
    [before] = twins.pieces(timber)
    timber.key_renewal.renew_data()
    with timber.database.engine.begin() as connection:
        connection.execute(text("UPDATE vector_chunks SET sealed = :old"), {"old": before.sealed})

    retired = timber.key_renewal.retire()

    assert retired.values_by_table == {"vector_chunks": 1}
    assert found(timber, "narwhal", weights={"text": 1}) == ["07"]


def test_a_new_root_hashes_words_anew_and_words_are_found_all_the_while(timber: Timber) -> None:
    query = {"weights": {"text": 1.0}, "limit": 50}
    before = {one.words for one in twins.pieces(timber)}
    seen = []

    def hook(point: str) -> None:
        if point in {IndexFailpoint.TAKEN, RoundFailpoint.PAGE_NOTED}:
            timber.keys.keyring.refresh()
            seen.append(sorted(found(timber, "narwhals", "dark_notes", **query)))

    with armed(hook):
        renewal = timber.key_renewal.renew_indexes()

    assert renewal.rows == len(NUMBERS)
    assert len(seen) > 3
    assert all(one == [f"{number:02}" for number in NUMBERS] for one in seen)
    assert before.isdisjoint({one.words for one in twins.pieces(timber)})
    assert len(found(timber, "narwhals", "dark_notes", **query)) == len(NUMBERS)
    assert found(timber, "number7", "dark_notes", **query) == ["07"]


def test_who_knows_old_keys_alone_writes_pieces_that_are_read_and_found_afterwards(
    timber: Timber,
) -> None:
    """As a process does that stood still while keys and roots were renewed and destroyed."""
    assert timber._settings is not None
    with Timber().opened(timber._settings) as late:
        use_hashing(late)
        late.keys.keyring._ticks = lambda: 0.0
        late.keys.keyring.index_keys()
        late.keys.keyring.current_for(["users:ann"])
        timber.key_renewal.renew_data()
        timber.key_renewal.renew_indexes()
        timber.key_renewal.retire()

        with timber.database.session_scope() as session:
            session.get_one(timber.models.get("Dark"), "06").body = "a walrus"
        late.vector_ingestion.process_pending()

        assert found(timber, "walrus", weights={"text": 1}) == ["06"]
        assert versions(timber) == {2}


DOOMED = """
import os, signal, sys
from timber.common.failpoints import armed
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from tests.integration.timber.keys.test_renewal_of_texts import use_hashing

settings = TimberSettings.model_validate_json(sys.argv[1])
def die(reached):
    if reached == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
with Timber().opened(settings) as timber, armed(die):
    use_hashing(timber)
    getattr(timber.key_renewal, sys.argv[2])()
"""


@pytest.mark.parametrize("work", ["renew_data", "renew_indexes"])
def test_a_renewal_that_is_killed_is_finished(tmp_path: Path, work: str, forks: Forks) -> None:
    settings = twins.settings_of(f"sqlite:///{tmp_path}/app.db", tmp_path, twins.ONLY_DARK)
    with Timber().opened(settings) as timber:
        use_hashing(timber)
        fill(timber)
        words = {one.words for one in twins.pieces(timber)}
    given = settings.model_dump_json()

    done = forks.run(DOOMED, given, work, RoundFailpoint.PAGE_CHANGED)
    assert done.returncode == -signal.SIGKILL, done.stderr

    with Timber().opened(settings) as timber:
        embedder = use_hashing(timber)
        assert getattr(timber.key_renewal, work)().finished_another
        assert versions(timber) == ({2} if work == "renew_data" else {1})
        assert words.isdisjoint({one.words for one in twins.pieces(timber)}) == (
            work == "renew_indexes"
        )
        assert len(found(timber, "narwhal", limit=50)) == len(NUMBERS)
        assert embedder.embedded == ["narwhal"]
