"""Finds texts by their words on SQLite, by FTS5: English ones whatever their endings are.

What most texts have tells them apart least and takes longest: words that are in more than one of
twenty texts are left out where there are others, and of the others the commonest, where together
they are in as many. The scope is a word, too: it is looked for where
few texts have it, and where many have it, it is looked up with what was found.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection
from typing_extensions import override

from timber.common.errors import InvalidRequestError
from timber.common.vector.base import FullTextIndex, Hit, Scope
from timber.common.vector.filter_sql import Condition
from timber.common.vector.fulltext_tables import FULLTEXT, partition_term, source_term
from timber.common.vector.scopes import meeting
from timber.common.vector.sqlite_driver import fetched
from timber.common.vector.tables import CHUNKS
from timber.common.vector.words import Word, words

_COMMON: Final = 20
"""A word is common when more than one of so many texts have it …"""
_FEW: Final = 1_000
"""… and more than so many."""
_TELLING: Final = 2
"""Words that together are in less texts than a common word, by this factor, tell enough …"""
_MOST_RANKED: Final = 500
"""… and so do those that are in so many: to rank a text takes a microsecond."""
_MOST_WORDS: Final = 32
_MOST_ASKED: Final = 256
_REMEMBERED: Final = 10_000
_GROWTH: Final = 1.25
"""What is remembered of words is forgotten when there are so many times more texts, or fewer."""

_THERE: Final = (
    # Those that are gone count too: a count of all texts takes longer than a search.
    f"SELECT (SELECT max(chunk_id) FROM {CHUNKS}), (SELECT partition_id FROM vector_partitions"
    " WHERE source_type = :source AND owner = :owner)"
)
"""How many texts there are, and which of them are an owner's."""
# The sign keeps SQLite from beginning with the texts of the scope, and looking each of them up.
_SOURCE: Final = f"+{CHUNKS}.source_type"
_PARTITION: Final = f"+{CHUNKS}.partition_id"
_MORE: Final = 2
"""So many times as many of the best of all are looked at for those of a scope."""
_SHAPES: Final = 256
_NO_CONDITION: Final = Condition("", {})
_TOLD_APART: Final = {
    column: (
        f"SELECT best.rowid, best.rank_of_it, {column} = :value FROM ("
        f"SELECT rowid, bm25({FULLTEXT}, 1.0, 0.0) AS rank_of_it FROM {FULLTEXT}"
        f" WHERE {FULLTEXT} MATCH :query ORDER BY rank_of_it, rowid LIMIT :limit) AS best"
        f" JOIN {CHUNKS} ON {CHUNKS}.chunk_id = best.rowid ORDER BY best.rank_of_it, best.rowid"
    )
    for column in (_SOURCE, _PARTITION)
}
"""The best texts, and which of them lie in a scope, by the column that tells it."""


class SqliteFullText(FullTextIndex):
    """Finds texts by BM25 over all texts of the database."""

    def __init__(self) -> None:
        self._frequencies = Frequencies()

    @override
    def matching(
        self, connection: Connection, text: str, *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Return the best by words, as the port says.

        Raises:
            InvalidRequestError: the limit or a filter cannot be used.
            DatabaseError: the database cannot be read.

        """
        if limit < 1:
            raise InvalidRequestError(f"limit must be 1 at least, not {limit!r}")
        asked = [f"content : {_quoted(word)}" for word in words(text)[:_MOST_ASKED]]
        if not asked:
            return []
        given = {"source": scope.source_type, "owner": scope.owner}
        [(texts, partition_id)] = fetched(connection, _THERE, given)
        place = _place(scope, partition_id)
        if place is None:
            return []
        count = self._frequencies.counts(connection, texts or 0)
        within = _Within(place, is_looked_for=not count.is_common(place.term), scope=scope)
        rare = [term for term in asked if not count.is_common(term)]
        telling = count.telling(rare, limit) if rare else count.rarest(asked, _MOST_WORDS)
        found = _ranked(connection, telling, within, limit)
        if len(found) < limit and within.is_looked_for and 0 < len(rare) < len(asked):
            # Few texts lie there, and what is common elsewhere may tell these apart.
            found = _ranked(connection, count.rarest(asked, _MOST_WORDS), within, limit)
        return found


@dataclass(frozen=True)
class _Place:
    """A scope, as its texts show it."""

    term: str
    """The word that all of them have."""
    column: str
    value: str | int
    """What all of them have in the column."""


@dataclass(frozen=True)
class _Within:
    """A scope, and how its texts are told from others."""

    place: _Place
    is_looked_for: bool
    """By its word; else each text that is found is looked up."""
    scope: Scope

    @property
    def condition(self) -> Condition:
        """What is looked up of a text; nothing, where its words tell."""
        found = _NO_CONDITION
        if self.scope.filters:
            found = meeting(self.scope.filters, dialect="sqlite")
        if self.is_looked_for:
            return found
        lies_there = f"{self.place.column} = :value"
        return Condition(
            f"{lies_there} AND {found.sql}" if found.sql else lies_there,
            {"value": self.place.value, **found.parameters},
        )


def _ranked(
    connection: Connection, terms: Sequence[str], within: _Within, limit: int
) -> list[Hit]:
    """Return the best texts with one of the terms."""
    query = " OR ".join(terms)
    if within.is_looked_for:
        query = f"{within.place.term} AND ({query})"
    elif not within.scope.filters:
        # Most of the best of all lie in a scope that many texts are in.
        first = _told_apart(connection, query, _MORE * limit, within.place)
        there = [hit for hit, lies_there in first if lies_there]
        if len(there) >= limit or len(first) < _MORE * limit:
            return there[:limit]
    return _best(connection, query, limit, within.condition)


def _best(
    connection: Connection, query: str, limit: int, condition: Condition = _NO_CONDITION
) -> list[Hit]:
    """Return the best texts of the database, or of those that meet a condition."""
    given = {"query": query, "limit": limit, **condition.parameters}
    rows = fetched(connection, _ranking(condition.sql), given)
    return [Hit(chunk_id, -rank) for chunk_id, rank in rows]


@lru_cache(maxsize=_SHAPES)
def _ranking(condition: str) -> str:
    """Return what ranks texts; the same for each condition, so that the driver knows it."""
    texts, looked_up = FULLTEXT, ""
    if condition:
        texts = f"{FULLTEXT}, {CHUNKS}"
        looked_up = f" AND {CHUNKS}.chunk_id = {FULLTEXT}.rowid AND {condition}"
    return (
        # Less is better; the column of scopes counts for nothing.
        f"SELECT {FULLTEXT}.rowid, bm25({FULLTEXT}, 1.0, 0.0) AS rank_of_it FROM {texts}"
        f" WHERE {FULLTEXT} MATCH :query{looked_up}"
        f" ORDER BY rank_of_it, {FULLTEXT}.rowid LIMIT :limit"
    )


def _told_apart(
    connection: Connection, query: str, limit: int, place: _Place
) -> list[tuple[Hit, bool]]:
    """Return the best texts of the database, and of each whether it lies in a scope."""
    given = {"query": query, "limit": limit, "value": place.value}
    rows = fetched(connection, _TOLD_APART[place.column], given)
    return [(Hit(chunk_id, -rank), bool(lies_there)) for chunk_id, rank, lies_there in rows]


def _place(scope: Scope, partition_id: int | None) -> _Place | None:
    """Return how texts show that they lie in a scope; None if none can."""
    if scope.owner is None:
        term = f"scope : {source_term(scope.source_type)}"
        return _Place(term, _SOURCE, scope.source_type)
    if partition_id is None:
        return None
    return _Place(f"scope : {partition_term(partition_id)}", _PARTITION, partition_id)


def _quoted(word: Word) -> str:
    """Return a word as FTS5 understands it: in quotes no sign has a meaning."""
    return f'"{" ".join(word.parts)}"' + ("*" if word.is_beginning else "")


class Frequencies:
    """How many texts have a word, counted up to where it is common; of the last words asked for.

    It is remembered while about as many texts are there: which words are common changes slowly.
    """

    def __init__(self) -> None:
        self._texts = 0
        self._known: OrderedDict[str, int] = OrderedDict()
        self._guard = threading.Lock()

    def counts(self, connection: Connection, texts: int) -> "Counts":
        """Return what tells the frequencies that a connection sees, where there are so many."""
        with self._guard:
            if not self._texts <= texts * _GROWTH <= self._texts * _GROWTH**2:
                self._texts = texts
                self._known.clear()
            most = max(_FEW, self._texts // _COMMON)
        return Counts(connection, self, most, texts=texts)

    def known(self, term: str) -> int | None:
        with self._guard:
            if term in self._known:
                self._known.move_to_end(term)
            return self._known.get(term)

    def keep(self, term: str, count: int) -> None:
        with self._guard:
            self._known[term] = count
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


class Counts:
    """The frequencies of words, as one search sees them."""

    def __init__(
        self, connection: Connection, remembered: Frequencies, most: int, *, texts: int
    ) -> None:
        self._connection = connection
        self._remembered = remembered
        self._most = most
        self._has_common = texts > most

    def is_common(self, term: str) -> bool:
        """Tell whether more texts have a word than a rare one."""
        return self._has_common and self._of(term) > self._most

    def rarest(self, terms: Sequence[str], number: int) -> list[str]:
        """Return so many of the words, those that the fewest texts have."""
        return sorted(terms, key=self._of)[:number] if len(terms) > number else list(terms)

    def telling(self, terms: Sequence[str], limit: int) -> list[str]:
        """Return the rarest of the words: as many as together are in no more texts than tell.

        Each text that has one of them is ranked, and what the rarest have ranks highest.
        """
        found: list[str] = []
        texts, most = 0, min(self._most // _TELLING, max(_MOST_RANKED, _MORE * limit))
        for term in sorted(terms, key=self._of)[:_MOST_WORDS]:
            texts += self._of(term)
            if found and texts > most:
                break
            found.append(term)
        return found

    def _of(self, term: str) -> int:
        count = self._remembered.known(term)
        if count is None:
            given = {"query": term, "limit": self._most + 1}
            [(count,)] = fetched(self._connection, _COUNTED, given)
            self._remembered.keep(term, count)
        return count


_COUNTED: Final = (
    f"SELECT count(*) FROM (SELECT 1 FROM {FULLTEXT} WHERE {FULLTEXT} MATCH :query LIMIT :limit)"
)
