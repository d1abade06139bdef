"""What of a compiled statement is to be sealed each time that it is executed.

A plan only tells what it understands for certain. What is in no plan stays as it is, and the
type of a sealed column refuses it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, select
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList

from timber.common.database.seal_refusals import name_of, refuse_moves, refuse_sql
from timber.common.modeling.sealed import Sealed, SealedColumn
from timber.common.modeling.sealed_tables import Places, SealedTable

INDEX_BIND = "timber_index_"
"""What the parameters begin with that stand for an index in the SET of an UPDATE."""

Parameters: TypeAlias = dict[str, Any]
Binds: TypeAlias = Mapping[str, BindParameter[Any]]


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
    """An UPDATE of one row by its primary key, for each set of parameters."""

    table: SealedTable
    places: Places
    source: Any
    """The SQL table, where it must be asked whose the row is; None: the statement says it."""
    asked: tuple[str, ...]
    """By which parameters the row is known before the UPDATE."""

    def seal(self, parameters: list[Parameters], connection: Connection) -> None:
        if all(row[at] is None for row in parameters for _, at, _ in self.places.fields):
            return  # the parameters of the indexes are None already
        links = None if self.source is None else self._links(parameters, connection)
        self.table.seals.seal_rows(self.table, parameters, self.places, connection, links)

    def _links(self, parameters: list[Parameters], connection: Connection) -> list[Any]:
        """Return whose the rows are, and let nobody change that before they are written."""
        key, link = self.source.primary_key.columns, self.source.c[str(self.table.link)]
        found = []
        for row in parameters:
            same = (column == row[name] for column, name in zip(key, self.asked, strict=True))
            asked = select(link).where(*same).with_for_update()
            found.append(connection.execute(asked).scalar())
        return found


def plan_insert(compiler: SQLCompiler, table: Any, sealed: SealedTable) -> InsertPlan | None:
    """Return what an INSERT that was compiled is to have sealed; None for nothing."""
    state: Any = compiler.compile_state
    several = state._multi_parameters if state._has_multi_parameters else None  # noqa: SLF001 - nothing public tells
    for row in several or (state._dict_parameters or {},):  # noqa: SLF001 - as above
        refuse_sql(sealed, row.items())
    # The first of several rows has its defaults under the names of the columns.
    endings = (
        [("",)]
        if several is None
        else [("_m0", ""), *((f"_m{n}",) for n in range(1, len(several)))]
    )
    binds = _binds(compiler)
    rows = [_insert_places(compiler, binds, table, sealed, ending) for ending in endings]
    found = tuple(one for one in rows if one is not None)
    return InsertPlan(sealed, found) if found else None


def _insert_places(
    compiler: SQLCompiler,
    binds: Binds,
    table: Any,
    sealed: SealedTable,
    suffixes: tuple[str, ...],
) -> Places | None:
    def place(name: str) -> str | None:
        names = (name + suffix for suffix in suffixes)
        return next((one for one in names if one in binds), None)

    def place_of(column: SealedColumn) -> str | None:
        found = place(column.name)
        if found is None and suffixes == ("",):
            # A parameter with a name that its writer chose.
            return next((name for name, bind in binds.items() if _is_of(bind, column)), None)
        return found

    key = tuple(place(column.key) for column in table.primary_key.columns)
    link = None if sealed.link is None else place(sealed.link)
    fields = tuple(
        (column, at, None if column.index is None else place(column.index))
        for column in sealed.columns.values()
        if (at := place_of(column)) is not None and _is_of(binds[at], column)
    )
    says_whose = sealed.link is None or link is not None or not _is_given(compiler, sealed.link)
    if None in key or not fields or not says_whose:
        return None
    return Places(key=key, link=link, fields=fields)


def _is_given(compiler: SQLCompiler, name: str) -> bool:
    """Tell whether an INSERT gives a column something that is no parameter."""
    state: Any = compiler.compile_state
    said = [*(state._multi_parameters or ()), state._dict_parameters or {}]  # noqa: SLF001 - nothing public tells
    return any(name_of(column) == name for row in said for column in row)


def plan_update(compiler: SQLCompiler, table: Any, sealed: SealedTable) -> UpdatePlan | None:
    """Return what an UPDATE that was compiled is to have sealed; None for nothing.

    Raises:
        PlaintextRefusedError: it would leave a row that cannot be opened any more.

    """
    state: Any = compiler.compile_state
    given = (state._dict_parameters or {}).items()  # noqa: SLF001 - nothing public tells
    written = {name_of(column): value for column, value in given}
    names = written.keys() | set(compiler.column_keys or ())
    refuse_moves(table, sealed, names)
    refuse_sql(sealed, written.items())
    binds = _binds(compiler)
    fields = tuple(
        (column, at, _index_place(binds, column))
        for at, bind in binds.items()
        for column in sealed.columns.values()
        if _is_of(bind, column)
    )
    if not fields:
        return None
    said = dict(_equalities(compiler, table))
    known = tuple(said.get(column.key) for column in table.primary_key.columns)
    if None in known:
        return None
    key = tuple(
        column.key if column.key in names and column.key in binds else at
        for column, at in zip(table.primary_key.columns, known, strict=True)
    )
    link, source = None, None
    if sealed.link is not None:
        link = sealed.link if sealed.link in names else said.get(sealed.link)
        if sealed.link in names and sealed.link not in binds:
            return None
        source = table if link is None else None
    places = Places(key=key, link=link, fields=fields)
    return UpdatePlan(sealed, places, source, tuple(map(str, known)))


def _binds(compiler: SQLCompiler) -> Binds:
    """Return the parameters by the names under which their values come."""
    return {name: bind for bind, name in compiler.bind_names.items()}


def _index_place(binds: Binds, column: Any) -> str | None:
    name = f"{INDEX_BIND}{column.name}"
    return name if column.index is not None and name in binds else None


def _is_of(bind: BindParameter[Any], column: Any) -> bool:
    return isinstance(bind.type, Sealed) and bind.type.column is column


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
