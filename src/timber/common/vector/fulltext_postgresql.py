"""The full text on PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    bindparam,
    case,
    cast,
    column,
    desc,
    func,
    literal,
    select,
    table,
    text as sql,
    true,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from typing_extensions import override

from timber.common.documents import closest
from timber.common.errors import InvalidRequestError
from timber.common.vector.base import FullTextIndex, Hit, Scope
from timber.common.vector.postgresql_driver import fetched
from timber.common.vector.postgresql_tables import (
    LANGUAGE,
    WORDS,
    in_language,
    only_words,
    partition_lexeme,
    source_lexeme,
)
from timber.common.vector.scopes import meeting, pieces
from timber.common.vector.steps import Asked, Steps, taken
from timber.common.vector.term_choice import expected, is_looked_up_sooner, telling
from timber.common.vector.words import Word, words

_SHAPES: Final = 256
_MOST_ASKED: Final = 256
_MOST_WORDS: Final = 32
"""Of a longer query the rarest count, as far as is known which these are."""
_MANY: Final = 50_000
"""A scope of fewer pieces is looked up in the index in next to no time. From so many of all on,
words in many of them are left out where there are others …"""
_MOST_RANKED: Final = 500
"""… and so are the commoner of the others, where the rarer are in so many: ranking takes long."""
_LOOKED_UP_FOR: Final = 100
_LONGEST_BYTES: Final = 2_000
"""PostgreSQL has no longer words."""
_BY_LENGTH: Final = 1
"""Of `ts_rank`: divided by 1 + the logarithm of the length."""

_DIALECT: Final = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_words: Final = table(WORDS, column("chunk_id", BigInteger), column("document", TSVECTOR))


class PostgresqlFullText(FullTextIndex):
    """Finds by `tsvector`: one word is enough, and the rarer a word, the more it counts.

    The score is the sum, over the words of the query, of `ts_rank` by the length of the piece,
    times the inverse document frequency log(1 + (n - m + 0.5) / (m + 0.5)), as in BM25: of n
    pieces that have one of the words, m have this one.
    """

    def __init__(self, *, many_from: int = _MANY) -> None:
        self._many_from = many_from
        self._known: tuple[Mapping[str, float], int] = ({}, 0)
        """The commoner terms, and for how many searches they hold."""

    @override
    def matching(
        self, connection: Connection, text: str, *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Return the best by words, as the port says.

        Raises:
            InvalidRequestError: the limit or a filter cannot be used.
            DatabaseError: the database cannot be read.

        """
        steps = self.prepared(connection, text, scope=scope, limit=limit)
        return taken(connection, steps)()

    @override
    def prepared(
        self,
        connection: Connection,
        text: str,
        *,
        scope: Scope,
        limit: int,
        hashed: Callable[[str], str] | None = None,
    ) -> Steps[Callable[[], list[Hit]]]:
        if limit < 1:
            raise InvalidRequestError(f"limit must be 1 at least, not {limit!r}")
        if hashed is None:
            place, terms = yield from _stems(text, scope)
        else:
            place, terms = yield from _hashes(text, scope, hashed)
        query = self._query(connection, terms, scope, place, limit)
        return list if query is None else partial(_looked_for, connection, query)

    def _query(
        self,
        connection: Connection,
        terms: Sequence[str],
        scope: Scope,
        place: "_Place",
        limit: int,
    ) -> "_Query | None":
        """Return what is looked for; None if it can be nowhere."""
        if not terms or (scope.owner is not None and place.partition_id is None):
            return None
        within = (
            source_lexeme(scope.source_type)
            if place.partition_id is None
            else partition_lexeme(place.partition_id)
        )
        within, is_looked_up = _quoted(within), True
        texts = max(place.texts, 1)
        if texts >= self._many_from:
            known = self._frequencies(connection)
            if len(terms) > 1:
                terms = telling(terms, known, most=max(_MOST_RANKED, limit) / texts)
            in_scope = texts * known.get(within, 0.0)
            is_looked_up = in_scope < self._many_from or is_looked_up_sooner(
                in_scope, having=texts * expected(terms, known)
            )
        found = tuple(dict.fromkeys(terms))[:_MOST_WORDS]
        return _Query(within, found, scope, limit, is_looked_up=is_looked_up)

    def _frequencies(self, connection: Connection) -> Mapping[str, float]:
        """Return in which share of all pieces the commoner terms are, as far as is known.

        It is looked up for some searches at once.
        """
        known, left = self._known
        if not left:
            rows = fetched(connection, _FREQUENCIES, {})
            known = {_quoted(word): frequency for word, frequency in rows}
            left = _LOOKED_UP_FOR
        self._known = (known, left - 1)
        return known


def set_language(connection: Connection, language: str) -> None:
    """Tell words and their endings as another language has them, and read all texts anew.

    `language` is a text search configuration of the database, such as `german` or `simple`.

    Raises:
        InvalidRequestError: it has none of that name.

    """
    known = sorted(connection.scalars(sql("SELECT cfgname FROM pg_ts_config")))
    if language not in known:
        raise InvalidRequestError(
            f"no language {language!r}{closest(language, known)}; there are: {', '.join(known)}"
        )
    for statement in in_language(language.replace("'", "''")):
        connection.exec_driver_sql(statement.replace("%", "%%"))


@dataclass(frozen=True)
class _Query:
    """Terms as a `tsquery` has them."""

    within: str
    """Of the scope."""
    terms: tuple[str, ...]
    scope: Scope
    limit: int
    is_looked_up: bool
    """Whether the index is asked for the scope, too, and not each piece that has the words."""

    @property
    def shape(self) -> "_Shape":
        return _Shape(len(self.terms), self.is_looked_up)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is given to the statement of that shape."""
        one_of = " | ".join(f"({term})" for term in self.terms)
        if self.is_looked_up:
            one_of = f"{self.within} & ({one_of})"
        terms = {f"term_{at}": term for at, term in enumerate(self.terms)}
        return {"one_of": one_of, "within": self.within, "limit": self.limit, **terms}


class _Shape(NamedTuple):
    """What a statement that ranks depends on."""

    terms: int
    """How many there are."""
    is_looked_up: bool


class _Place(NamedTuple):
    """Where is searched."""

    texts: float
    """How many pieces there are, of all owners, as far as is known."""
    partition_id: int | None
    """Of the owner, if one is named and known."""


def _stems(text: str, scope: Scope) -> Steps[tuple[_Place, list[str]]]:
    """Return the terms of a text, and where they are looked for."""
    asked = [word for word in words(text)[:_MOST_ASKED] if _fits(word)]
    given = {
        "words": [" ".join(word.parts) for word in asked],
        "source": scope.source_type,
        "owner": scope.owner,
    }
    [(*place, stems)] = yield Asked(_STEMS, given)
    terms = [
        stem + (":*" if word.is_beginning else "")
        for word, stem in zip(asked, stems, strict=True)
        if stem  # a stop word has none
    ]
    return _Place(*place), terms


def _hashes(
    text: str, scope: Scope, hashed: Callable[[str], str]
) -> Steps[tuple[_Place, list[str]]]:
    """Return the terms of hashes, which have no endings, and where they are looked for."""
    given = {
        "pieces": [piece.replace("\0", "") for piece in text.split()],
        "source": scope.source_type,
        "owner": scope.owner,
    }
    [(*place, told)] = yield Asked(_TELLING, given)
    asked = words(hashed(told or ""))[:_MOST_ASKED]
    return _Place(*place), [_quoted(part) for word in asked for part in word.parts]


def _looked_for(connection: Connection, query: _Query) -> list[Hit]:
    given, scope = query.parameters, query.scope
    if scope.filters:
        condition = meeting(scope.filters, dialect="postgresql")
        given = {**given, **condition.parameters}
        ranked = _filtered(query.shape, condition.sql)
    else:
        ranked = _ranked(query.shape)
    rows = fetched(connection, ranked.sql, {**ranked.constants, **given})
    return [Hit(chunk_id, score) for chunk_id, score in rows]


_ABOUT: Final = (
    f"SELECT (SELECT reltuples FROM pg_class WHERE oid = '{WORDS}'::regclass),"
    " (SELECT partition_id FROM vector_partitions"
    " WHERE source_type = %(source)s AND owner = CAST(%(owner)s AS text)),"
)
_STEMS: Final = (
    f"{_ABOUT} ARRAY(SELECT CAST(phraseto_tsquery({LANGUAGE}(), word) AS text)"
    " FROM unnest(CAST(%(words)s AS text[])) WITH ORDINALITY AS asked (word, place)"
    " ORDER BY place)"
)
_TELLING: Final = (
    f"{_ABOUT} (SELECT string_agg(piece, ' ' ORDER BY place)"
    " FROM unnest(CAST(%(pieces)s AS text[])) WITH ORDINALITY AS asked (piece, place)"
    f" WHERE length(to_tsvector({LANGUAGE}(), {only_words('piece')})) > 0)"
)
_FREQUENCIES: Final = (
    "SELECT word, frequency FROM pg_stats,"
    " unnest(CAST(CAST(most_common_elems AS text) AS text[]), most_common_elem_freqs)"
    " AS common (word, frequency)"
    f" WHERE schemaname = current_schema() AND tablename = '{WORDS}' AND attname = 'document'"
    # The frequencies have three more entries than the words: the least, the most, and of none.
    " AND word IS NOT NULL"
)
"""As the last ANALYZE has counted them: of the pieces, the share that has a word."""


def _fits(word: Word) -> bool:
    return all(len(part.encode()) <= _LONGEST_BYTES for part in word.parts)


@lru_cache(maxsize=2 * _MOST_WORDS)
def _ranked(shape: _Shape) -> "_Statement":
    """Return what ranks by so many terms; to make it takes longer than most searches do."""
    return _Statement.of(_best(_matches(shape), shape.terms))


@lru_cache(maxsize=_SHAPES)
def _filtered(shape: _Shape, condition: str) -> "_Statement":
    """Return the same of what meets a condition on the pieces."""
    found = _matches(shape).join(pieces, pieces.c.chunk_id == _words.c.chunk_id)
    return _Statement.of(_best(found.where(sql(condition)), shape.terms))


@dataclass(frozen=True)
class _Statement:
    """A statement as the driver takes it."""

    sql: str
    constants: Mapping[str, Any]
    """The parameters that are the same each time."""

    @classmethod
    def of(cls, statement: Select[Any]) -> "_Statement":
        compiled = statement.compile(dialect=_DIALECT)
        return cls(str(compiled), compiled.params)


def _matches(shape: _Shape) -> Select[Any]:
    names = enumerate(_rank_names(shape.terms))
    ranks = [_rank(f"term_{at}").label(name) for at, name in names]
    matches = select(_words.c.chunk_id, *ranks).where(_has("one_of"))
    # As it stands there, no index answers it: each piece that was found is looked at.
    return matches if shape.is_looked_up else matches.where(_has("within").is_(true()))


def _best(found: Select[Any], count: int) -> Select[Any]:
    matches = found.cte("matches").prefix_with("MATERIALIZED", dialect="postgresql")
    names = _rank_names(count)
    every = cast(func.count(), Double)
    having = [cast(func.count().filter(matches.c[name] > 0), Double) for name in names]
    weights = select(
        *(
            func.ln(1 + (every - some + 0.5) / (some + 0.5)).label(name)
            for name, some in zip(names, having, strict=True)
        )
    ).cte("weights")
    parts = [matches.c[name] * weights.c[name] for name in names]
    score = sum(parts[1:], parts[0]).label("score")
    return (
        select(matches.c.chunk_id, score)
        .select_from(matches.join(weights, literal(True)))  # noqa: FBT003 - of SQL
        .order_by(desc("score"), matches.c.chunk_id)
        .limit(bindparam("limit", type_=Integer))
    )


def _rank_names(count: int) -> list[str]:
    return [f"rank_{at}" for at in range(count)]


def _rank(name: str) -> ColumnElement[float]:
    # Of words that must stand side by side it would rank those, too, that do not.
    ranked = func.ts_rank(_words.c.document, _query_of(name), _BY_LENGTH)
    return case((_has(name), ranked), else_=0.0)


def _has(name: str) -> ColumnElement[bool]:
    return _words.c.document.op("@@", is_comparison=True)(_query_of(name))


def _query_of(name: str) -> ColumnElement[Any]:
    # As a parameter of that type: a cast from text would be reckoned for every row.
    return cast(bindparam(name, type_=TSQUERY()), TSQUERY)


def _quoted(lexeme: str) -> str:
    """Return a lexeme as a query has it: its signs mean nothing."""
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
