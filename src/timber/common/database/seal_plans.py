"""What of a compiled statement is to be sealed each time that it is executed.

A plan only tells what it understands for certain. What is in no plan stays as it is, and the
type of a sealed column refuses it.
"""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, Select, bindparam, select
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList

from timber.common.database.seal_refusals import is_sql, name_of
from timber.common.modeling.sealed import SealedColumn
from timber.common.modeling.sealed_tables import Places, SealedTable

INDEX_BIND = "timber_index_"
"""What the parameters begin with that stand for an index in the SET of an UPDATE."""

Parameters: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class InsertPlan:
    """The rows of an INSERT, each by the names of its parameters."""

    table: SealedTable
    rows: tuple[Places, ...]

    def seal(self, parameters: list[Parameters], connection: Connection) -> None:
        for places in self.rows:
            self.table.seals.seal_rows(self.table, parameters, places, connection)


@dataclass(frozen=True)
class UpdatePlan:
    """An UPDATE of one row by its key, for each set of parameters."""

    table: SealedTable
    places: Places
    known: tuple[tuple[Any, str], ...]
    """By which columns the row is known before the UPDATE, and the parameters for them."""
    asked: tuple[Any, ...]
    """The columns that must be asked for first: those of the key, and whose the row is, that
    the statement does not say. Their names are where `places` has them."""

    def seal(self, parameters: list[Parameters], connection: Connection) -> None:
        if all(row[at] is None for row in parameters for _, at, _ in self.places.fields):
            return  # the parameters of the indexes are None already
        if not self.asked:
            self.table.seals.seal_rows(self.table, parameters, self.places, connection)
            return
        # What was asked for is no parameter of the statement.
        rows = [ChainMap(row, self._stored(row, connection)) for row in parameters]
        self.table.seals.seal_rows(self.table, rows, self.places, connection)

    @cached_property
    def _asking(self) -> Select[Any]:
        same = (column == bindparam(f"known_{at}") for at, (column, _) in enumerate(self.known))
        return select(*self.asked).where(*same).with_for_update()

    def _stored(self, row: Parameters, connection: Connection) -> Parameters:
        """Return what must be asked of a row, and let nobody change it before it is written.

        What has no row is not written: one that another transaction stores from now on might be
        of anybody.
        """
        known = {f"known_{at}": row[name] for at, (_, name) in enumerate(self.known)}
        stored = connection.execute(self._asking, known).first()
        if stored is None:
            # Nothing is equal to NULL, and so the UPDATE finds nothing, either.
            row.update({name: None for _, name in self.known})
            row.update({at: None for _, at, _ in self.places.fields})
            return {asked_as(column): None for column in self.asked}
        return {asked_as(one): value for one, value in zip(self.asked, stored, strict=True)}


def asked_as(column: Any) -> str:
    """Return under what the value of a column is that was asked for."""
    return f"timber_stored_{column.key}"


class _Values:
    """Under which parameters a compiled statement has the values of its columns."""

    def __init__(self, compiler: SQLCompiler, given: Mapping[Any, Any]) -> None:
        self._given = {name_of(column): value for column, value in given.items()}
        names = compiler.bind_names.items()
        self._names = {bind.key: name for bind, name in names}
        # SQLAlchemy's own, for values and defaults that it gave a name itself.
        self._own = {name for bind, name in names if bind._is_crud}  # noqa: SLF001 - nothing public tells

    @property
    def given(self) -> Mapping[str, Any]:
        """What the statement itself says, by the names of the columns."""
        return self._given

    def place(self, name: str, *others: str) -> str | None:
        """Return where the value of a column is; None: nowhere, or it is SQL.

        `others` are names that SQLAlchemy may have given it besides the column's own.
        """
        value: Any = self._given.get(name)
        if hasattr(value, "__clause_element__"):
            value = value.__clause_element__()
        if isinstance(value, BindParameter):
            return self._names.get(value.key)
        if is_sql(value):
            return None
        return next((one for one in others or (name,) if one in self._own), None)


def plan_insert(compiler: SQLCompiler, table: Any, sealed: SealedTable) -> InsertPlan | None:
    """Return what an INSERT that was compiled is to have sealed; None for nothing."""
    state: Any = compiler.compile_state
    several = state._multi_parameters if state._has_multi_parameters else None  # noqa: SLF001 - nothing public tells
    if several is None:
        found = [_insert_places(_Values(compiler, state._dict_parameters or {}), table, sealed)]  # noqa: SLF001 - as above
    else:
        # The first of several rows has its defaults under the names of the columns.
        found = [
            _insert_places(
                _Values(compiler, row), table, sealed, (f"_m{n}",) if n else ("_m0", "")
            )
            for n, row in enumerate(several)
        ]
    rows = tuple(one for one in found if one is not None)
    return InsertPlan(sealed, rows) if rows else None


def _insert_places(
    values: _Values, table: Any, sealed: SealedTable, endings: tuple[str, ...] = ("",)
) -> Places | None:
    def place(name: str) -> str | None:
        return values.place(name, *(name + ending for ending in endings))

    key = tuple(place(column.key) for column in sealed.bound(table))
    link = None if sealed.link is None else place(sealed.link)
    fields = tuple(
        (column, at, None if column.index is None else place(column.index))
        for column in sealed.columns.values()
        if (at := place(column.name)) is not None
    )
    if None in key or not fields or (link is None and _is_filled(values, table, sealed.link)):
        return None
    return Places(key=key, link=link, fields=fields)


def _is_filled(values: _Values, table: Any, link: str | None) -> bool:
    """Tell whether something that is no parameter fills the column that says whose a row is."""
    if link is None:
        return False
    column = table.c[link]
    return link in values.given or not (column.default is None and column.server_default is None)


def plan_update(compiler: SQLCompiler, table: Any, sealed: SealedTable) -> UpdatePlan | None:
    """Return what an UPDATE that was compiled is to have sealed; None for nothing."""
    state: Any = compiler.compile_state
    values = _Values(compiler, state._dict_parameters or {})  # noqa: SLF001 - nothing public tells
    fields = tuple(
        (column, at, _index_place(values, column))
        for column in sealed.columns.values()
        if (at := values.place(column.name)) is not None
    )
    said = dict(_equalities(compiler, table))
    bound = sealed.bound(table)
    known = _known_by(said, bound) or _known_by(said, tuple(table.primary_key.columns))
    if not fields or not known:
        return None
    names = values.given.keys() | set(compiler.column_keys or ())
    asked = []

    def place(column: Any) -> str | None:
        # What is set is what the row will have; else it stays what the WHERE says, or what it is.
        if column.key in names:
            return values.place(column.key)
        if column.key in said:
            return said[column.key]
        asked.append(column)
        return asked_as(column)

    key = tuple(map(place, bound))
    link = None if sealed.link is None else place(table.c[sealed.link])
    if None in key or (sealed.link is not None and link is None):
        return None
    return UpdatePlan(sealed, Places(key=key, link=link, fields=fields), known, tuple(asked))


def _known_by(said: Mapping[str, str], columns: Sequence[Any]) -> tuple[tuple[Any, str], ...]:
    """Return some columns with the parameters to which they are to be equal; none: not all are."""
    found = tuple((one, said[one.key]) for one in columns if one.key in said)
    return found if len(found) == len(columns) else ()


def _index_place(values: _Values, column: SealedColumn) -> str | None:
    return None if column.index is None else values.place(column.index)


def _equalities(compiler: SQLCompiler, table: Any) -> Iterator[tuple[str, str]]:
    """Give the columns that the WHERE demands to be equal to a parameter, and its name."""
    state: Any = compiler.compile_state
    statement = state.statement
    waiting = list(statement._where_criteria)  # noqa: SLF001 - nothing public tells
    names: Mapping[Any, str] = compiler.bind_names
    while waiting:
        one = waiting.pop()
        if isinstance(one, BooleanClauseList) and one.operator is operators.and_:
            waiting.extend(one.clauses)
        elif isinstance(one, BinaryExpression) and one.operator is operators.eq:
            left, right = one.left, one.right
            if isinstance(left, BindParameter):
                left, right = right, left
            if isinstance(right, BindParameter) and right in names and left in set(table.columns):
                yield str(left.key), names[right]
