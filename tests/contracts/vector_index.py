"""What every vector index promises; a subclass gives the `shelf` and the `index` over it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import Connection
from tests.contracts.vector_shelf import NEWS, Floats, Piece, Shelf, unit

from timber.common.errors import InvalidRequestError
from timber.common.vector.base import Hit, Scope, VectorIndex
from timber.common.vector.filter_reader import read_filters
from timber.common.vector.steps import taken

EAST, NORTH, WEST = unit(1, 0), unit(0, 1), unit(-1, 0)
NORTH_EAST = unit(1, 1)
CLOSE = 1e-4
"""How far two databases may be apart about one score."""


class VectorIndexContract(ABC):
    """The promises."""

    @pytest.fixture
    @abstractmethod
    def shelf(self) -> Shelf:
        """Give an empty database."""

    @pytest.fixture
    @abstractmethod
    def index(self, shelf: Shelf) -> VectorIndex:
        """Give the index over it."""

    def test_the_nearest_come_first(self, shelf: Shelf, index: VectorIndex) -> None:
        with shelf.writing() as connection:
            west, north, east = shelf.put(
                connection, piece("w", WEST), piece("n", NORTH), piece("e", EAST)
            )

        hits = found(shelf, index, EAST, limit=3)

        assert ids(hits) == [east, north, west]
        assert [hit.score for hit in hits] == pytest.approx([1, 0, -1], abs=CLOSE)

    def test_equal_ones_come_by_their_keys(self, shelf: Shelf, index: VectorIndex) -> None:
        with shelf.writing() as connection:
            keys = shelf.put(connection, *(piece(str(number), NORTH) for number in range(20)))

        assert ids(found(shelf, index, NORTH_EAST, limit=7)) == keys[:7]

    def test_no_more_are_given_than_there_are(self, shelf: Shelf, index: VectorIndex) -> None:
        with shelf.writing() as connection:
            keys = shelf.put(connection, piece("w", WEST), piece("e", EAST))

        assert ids(found(shelf, index, WEST, limit=100)) == keys

    def test_nothing_is_found_where_nothing_is(self, shelf: Shelf, index: VectorIndex) -> None:
        with shelf.writing() as connection:
            shelf.put(connection, piece("e", EAST))

        assert not found(shelf, index, EAST, Scope("unknown"))
        assert not found(shelf, index, EAST, Scope(NEWS, owner="unknown"))

    def test_pieces_without_a_vector_are_not_found(self, shelf: Shelf, index: VectorIndex) -> None:
        with shelf.writing() as connection:
            shelf.put(connection, Piece(source_id="pending"))
            (east,) = shelf.put(connection, piece("e", EAST))

        assert ids(found(shelf, index, NORTH)) == [east]

    def test_what_is_prepared_are_the_nearest_whatever_was_done_ahead(
        self, shelf: Shelf, index: VectorIndex
    ) -> None:
        with shelf.writing() as connection:
            shelf.put(
                connection,
                piece("w", WEST, owner="ann"),
                piece("n", NORTH, owner="ann", metadata={"rare": True}),
                piece("e", EAST, owner="bob"),
            )

        with shelf.reading() as connection:
            for scope in (
                Scope(NEWS),
                Scope(NEWS, "ann"),
                Scope(NEWS, "nobody"),
                Scope(NEWS, "ann", {"rare": True}),
            ):
                ahead = index.ahead(NORTH_EAST, scope=scope, limit=2)
                ahead.beside(lambda: None)
                steps = index.prepared(connection, NORTH_EAST, scope=scope, limit=2, ahead=ahead)
                hits = taken(connection, steps).nearest()

                assert hits == ask(index, connection, NORTH_EAST, scope, limit=2)

    def test_a_source_and_an_owner_are_searched_alone(
        self, shelf: Shelf, index: VectorIndex
    ) -> None:
        with shelf.writing() as connection:
            anns, bobs, nobodys, other = shelf.put(
                connection,
                piece("a", EAST, owner="ann"),
                piece("b", EAST, owner="bob"),
                piece("c", EAST),
                piece("d", EAST, source_type="other", owner="ann"),
            )

        assert ids(found(shelf, index, EAST, Scope(NEWS))) == [anns, bobs, nobodys]
        assert ids(found(shelf, index, EAST, Scope(NEWS, owner="ann"))) == [anns]
        assert ids(found(shelf, index, EAST, Scope(NEWS, owner=""))) == [nobodys]
        assert ids(found(shelf, index, EAST, Scope("other"))) == [other]

    def test_what_comes_goes_and_changes_is_seen_at_once(
        self, shelf: Shelf, index: VectorIndex
    ) -> None:
        with shelf.writing() as connection:
            first, second = shelf.put(connection, piece("1", EAST), piece("2", NORTH))
        assert ids(found(shelf, index, EAST)) == [first, second]

        with shelf.writing() as connection:
            (third,) = shelf.put(connection, piece("3", NORTH_EAST))
        assert ids(found(shelf, index, EAST)) == [first, third, second]

        with shelf.writing() as connection:
            shelf.take(connection, first)
        assert ids(found(shelf, index, EAST)) == [third, second]

        with shelf.writing() as connection:
            shelf.change(connection, second, EAST)
        assert ids(found(shelf, index, EAST)) == [second, third]

        with shelf.writing() as connection:
            shelf.take_all(connection)
        assert not found(shelf, index, EAST)

    def test_a_transaction_sees_what_it_did_and_nobody_else_does(
        self, shelf: Shelf, index: VectorIndex
    ) -> None:
        with shelf.writing() as connection:
            old, kept = shelf.put(connection, piece("1", EAST), piece("2", NORTH))

        with shelf.engine.connect() as connection:
            shelf.take(connection, old)
            (new,) = shelf.put(connection, piece("3", NORTH_EAST))
            assert ids(ask(index, connection, EAST)) == [new, kept]
            shelf.change(connection, kept, EAST)
            assert ids(ask(index, connection, EAST)) == [kept, new]
            connection.rollback()

        assert ids(found(shelf, index, EAST)) == [old, kept]

    def test_what_was_rolled_back_is_never_taken_for_what_came_after_it(
        self, shelf: Shelf, index: VectorIndex
    ) -> None:
        with shelf.writing() as connection:
            shelf.put(connection, piece("0", WEST))
        found(shelf, index, EAST)
        with shelf.engine.connect() as connection:
            shelf.put(connection, piece("1", EAST))
            ask(index, connection, EAST)
            connection.rollback()

        with shelf.writing() as connection:
            shelf.put(connection, piece("2", NORTH))

        assert found(shelf, index, EAST, limit=1)[0].score == pytest.approx(0, abs=CLOSE)

    def test_as_many_as_are_asked_for_are_found_when_so_many_meet_a_filter(
        self, shelf: Shelf, index: VectorIndex
    ) -> None:
        with shelf.writing() as connection:
            rare = shelf.put(
                connection,
                *(piece(f"r{number}", WEST, metadata={"rare": True}) for number in range(5)),
            )
            shelf.put(connection, *(piece(f"c{number}", EAST) for number in range(1500)))

        hits = found(shelf, index, EAST, Scope(NEWS, filters={"rare": True}), limit=5)

        assert ids(hits) == rare
        assert [hit.score for hit in hits] == pytest.approx([-1] * 5, abs=CLOSE)

    @pytest.mark.parametrize("limit", [0, -3])
    def test_a_limit_that_asks_for_nothing_is_refused(
        self, shelf: Shelf, index: VectorIndex, limit: int
    ) -> None:
        with pytest.raises(InvalidRequestError, match="limit"):
            found(shelf, index, EAST, limit=limit)

    def test_a_vector_of_another_length_is_refused(self, shelf: Shelf, index: VectorIndex) -> None:
        with shelf.writing() as connection:
            shelf.put(connection, piece("e", EAST))

        with pytest.raises(InvalidRequestError, match=r"3 numbers.*timber vectors reembed"):
            found(shelf, index, unit(1, 2, 3))

    @settings(
        max_examples=25,
        deadline=None,
        # Each class that keeps this contract executes it.
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(data=st.data())
    def test_it_finds_what_comparing_with_every_vector_finds(
        self, shelf: Shelf, index: VectorIndex, data: st.DataObject
    ) -> None:
        source = f"source {next(_numbers)}"
        oracle = Oracle(shelf, source)

        for changes in data.draw(st.lists(CHANGES, min_size=1, max_size=4)):
            with shelf.engine.connect() as connection:
                then = oracle.state()
                for change in changes:
                    oracle.do(connection, *change)
                oracle.agrees(index, connection, data.draw(QUESTIONS))
                if data.draw(st.booleans()):
                    connection.commit()
                else:
                    connection.rollback()
                    oracle.return_to(then)
            with shelf.reading() as connection:
                oracle.agrees(index, connection, data.draw(QUESTIONS))


_numbers = count()

WHOLE = st.integers(-2, 2)
VECTORS = st.tuples(WHOLE, WHOLE, WHOLE).filter(any).map(lambda numbers: unit(*numbers))
METADATA = st.fixed_dictionaries({}, optional={"kind": st.sampled_from(["a", "b", 1, None])})
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), VECTORS, st.sampled_from(["", "ann", "bob"]), METADATA),
        st.tuples(st.just("take"), st.integers(0, 30)),
        st.tuples(st.just("change"), st.integers(0, 30), VECTORS),
    ),
    max_size=12,
)
FILTERS = st.sampled_from(
    [
        {},
        {"kind": "a"},
        {"kind": {"$in": ["b", 1]}},
        {"kind": None},
        {"$not": {"kind": "a"}},
        {"$or": [{"kind": {"$gte": 1}}, {"kind": "b"}]},
    ]
)
QUESTIONS = st.tuples(
    VECTORS, st.sampled_from([None, "", "ann", "bob"]), FILTERS, st.integers(1, 15)
)


@dataclass(frozen=True)
class Known:
    """What the oracle knows of a piece."""

    vector: Floats
    owner: str
    metadata: Mapping[str, Any]


class Oracle:
    """Does to a dictionary what is done to a source, and compares with all that is in it."""

    def __init__(self, shelf: Shelf, source: str) -> None:
        self._shelf = shelf
        self._source = source
        self._known: dict[int, Known] = {}
        self._names = count()

    def state(self) -> dict[int, Known]:
        return dict(self._known)

    def return_to(self, state: dict[int, Known]) -> None:
        self._known = state

    def do(self, connection: Connection, what: str, *how: Any) -> None:
        if what == "put":
            vector, owner, metadata = how
            name = str(next(self._names))
            stored = piece(name, vector, owner=owner, metadata=metadata, source_type=self._source)
            (key,) = self._shelf.put(connection, stored)
            self._known[key] = Known(vector, owner, metadata)
        elif self._known:
            key = sorted(self._known)[how[0] % len(self._known)]
            if what == "take":
                self._shelf.take(connection, key)
                del self._known[key]
            else:
                self._shelf.change(connection, key, how[1])
                known = self._known[key]
                self._known[key] = Known(how[1], known.owner, known.metadata)

    def agrees(self, index: VectorIndex, connection: Connection, question: Any) -> None:
        vector, owner, filters, limit = question

        hits = ask(index, connection, vector, Scope(self._source, owner, filters), limit=limit)

        expected = self._nearest(vector, owner, filters)
        assert [hit.score for hit in hits] == pytest.approx(
            [score for score, _ in expected[:limit]], abs=CLOSE
        )
        scores = {key: score for score, key in expected}
        for hit in hits:
            assert hit.score == pytest.approx(scores.pop(hit.chunk_id), abs=CLOSE)

    def _nearest(
        self, vector: Floats, owner: str | None, filters: Mapping[str, Any]
    ) -> list[tuple[float, int]]:
        wanted = read_filters(filters)
        scored = [
            (float(np.dot(known.vector, vector)), key)
            for key, known in self._known.items()
            if owner in {None, known.owner} and wanted.matches(known.metadata)
        ]
        return sorted(scored, key=lambda one: (-one[0], one[1]))


def piece(source_id: str, vector: Floats, **others: Any) -> Piece:
    """Return a piece with a vector."""
    return Piece(source_id=source_id, vector=vector, **others)


def ids(hits: Sequence[Hit]) -> list[int]:
    """Return the keys of what was found."""
    return [hit.chunk_id for hit in hits]


def ask(
    index: VectorIndex,
    connection: Connection,
    vector: Floats,
    scope: Scope | None = None,
    *,
    limit: int = 10,
) -> list[Hit]:
    """Search within a transaction."""
    return index.nearest(connection, vector, scope=scope or Scope(NEWS), limit=limit)


def found(
    shelf: Shelf,
    index: VectorIndex,
    vector: Floats,
    scope: Scope | None = None,
    *,
    limit: int = 10,
) -> list[Hit]:
    """Search by a connection of its own."""
    with shelf.reading() as connection:
        return ask(index, connection, vector, scope, limit=limit)
