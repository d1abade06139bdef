"""Rows as mappings, made ready for a table: keys checked, defaults filled in."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, Connection, Dialect, Table, inspect
from sqlalchemy.orm import Mapper

from timber.common.database.driver_errors import translated
from timber.common.database.seal_refusals import refuse_indexes
from timber.common.documents import closest
from timber.common.errors import UnknownColumnError
from timber.common.modeling.sealed_tables import Places, SealedTable, sealed_of

Values: TypeAlias = tuple[Any, ...]
Columns: TypeAlias = tuple[Column[Any], ...]

_MISSING: Final = object()


@dataclass
class _RowContext:
    """What a default that looks at the other values of its row is given."""

    current_parameters: Mapping[str, Any]
    current_column: None = None

    def get_current_parameters(self, **_: object) -> Mapping[str, Any]:
        return self.current_parameters


@dataclass(frozen=True)
class Target:
    """A table, and the keys by which its columns are given."""

    name: str
    table: Table
    columns: Mapping[str, Column[Any]]
    """By key, in the table's order."""

    def hidden(self) -> list[Column[Any]]:
        """Return the columns that the model knows nothing of."""
        known = set(self.columns.values())
        return [column for column in self.table.columns if column not in known]

    def check(self, given: Iterable[Hashable]) -> None:
        """Raise an UnknownColumnError unless every key is a column's."""
        for key in given:
            if key not in self.columns:
                hint = closest(str(key), self.columns)
                raise UnknownColumnError(f"{self.name} has no column {str(key)[:63]!r}{hint}")


def target_of(model: type[Any] | Table) -> Target:
    """Return where the rows of a model, or of a table, go.

    Raises:
        TypeError: it is neither.

    """
    if isinstance(model, Table):
        return Target(model.name, model, {column.key: column for column in model.columns})
    mapper = inspect(model, raiseerr=False)
    if not isinstance(mapper, Mapper) or not isinstance(mapper.local_table, Table):
        raise TypeError(f"{model!r} is neither a model nor a table")
    if len(mapper.tables) > 1:
        raise TypeError(f"{model.__name__} has several tables: insert into each of them")
    by_column = {attribute.columns[0]: attribute.key for attribute in mapper.column_attrs}
    table = mapper.local_table
    columns = {by_column[column]: column for column in table.columns if column in by_column}
    return Target(model.__name__, table, columns)


def chunks(
    target: Target, rows: Iterable[Mapping[str, Any]], *, connection: Connection, size: int
) -> Iterator[tuple[Columns, list[Values]]]:
    """Give columns, and up to `size` rows of values for them, until the rows are used up.

    Columns that the database fills in by itself are among them only if the rows give them.
    What is to be sealed is sealed; for that the connection may be asked whose rows they are.
    """
    sealed = sealed_of(target.table)
    hidden = [] if sealed is None else target.hidden()
    left_out = frozenset(key for key, one in target.columns.items() if _is_servers(one))
    indexes = _indexes(sealed)
    known = target.columns.keys() - indexes

    def given(row: Mapping[str, Any]) -> frozenset[str]:
        if not row.keys() <= known:
            if sealed is not None:
                refuse_indexes(sealed, indexes & row.keys())
            target.check(row)
        return left_out and left_out & row.keys()

    for extra, same in groupby(rows, key=given):
        keys = [key for key in target.columns if key in extra or key not in left_out]
        columns = (*(target.columns[key] for key in keys), *hidden)
        fill = _filling([*keys, *(one.key for one in hidden)], columns)
        bind = _binding(columns, connection.dialect)
        places = None if sealed is None else _places(sealed, columns)
        while taken := list(islice(same, size)):
            with translated():
                if sealed is None or places is None:
                    chunk = [bind(fill(row)) for row in taken]
                else:
                    filled = [fill(row) for row in taken]
                    sealed.seals.seal_rows(sealed, filled, places, connection)
                    chunk = list(map(bind, filled))
            yield columns, chunk


def _indexes(sealed: SealedTable | None) -> frozenset[str]:
    """Return the columns that are made of sealed ones, and never given."""
    columns = () if sealed is None else sealed.columns.values()
    return frozenset(one.index for one in columns if one.index is not None)


def _places(sealed: SealedTable, columns: Columns) -> Places:
    """Return where in the list of a row's values is what sealing it needs."""
    at = {column.name: place for place, column in enumerate(columns)}
    return Places(
        key=tuple(at[column.name] for column in sealed.bound(columns[0].table)),
        link=None if sealed.link is None else at[sealed.link],
        fields=tuple(
            (column, at[name], None if column.index is None else at[column.index])
            for name, column in sealed.columns.items()
        ),
    )


def _is_servers(column: Column[Any]) -> bool:
    """Tell whether the database itself makes a value for the column when none is given."""
    default = column.default
    if default is not None:
        return default.is_clause_element or default.is_sequence
    return (
        column.server_default is not None
        or column.computed is not None
        or column is column.table.autoincrement_column
    )


def _filling(keys: list[str], columns: Columns) -> Callable[[Mapping[str, Any]], list[Any]]:
    """Return what makes the values of one row, with the defaults of what it does not give."""
    plain: list[tuple[str, Any]] = []
    made: list[tuple[int, str, Callable[[Any], Any]]] = []
    for place, (key, column) in enumerate(zip(keys, columns, strict=True)):
        default: Any = column.default
        is_made = default is not None and default.is_callable
        plain.append((key, _MISSING if is_made else getattr(default, "arg", None)))
        if is_made:
            made.append((place, column.key, default.arg))
    names = [column.key for column in columns]

    def fill(row: Mapping[str, Any]) -> list[Any]:
        values = [row.get(key, default) for key, default in plain]
        context: _RowContext | None = None
        for place, name, make in made:
            if values[place] is _MISSING:
                if context is None:
                    context = _RowContext(
                        {n: v for n, v in zip(names, values, strict=True) if v is not _MISSING}
                    )
                values[place] = context.current_parameters[name] = make(context)  # type: ignore[index]
        return values

    return fill


def _binding(columns: Columns, dialect: Dialect) -> Callable[[list[Any]], Values]:
    """Return what makes the values of one row ready for the driver."""
    bound = [
        (place, processor)
        for place, column in enumerate(columns)
        if (processor := column.type.dialect_impl(dialect).bind_processor(dialect))
    ]

    def bind(values: list[Any]) -> Values:
        for place, process in bound:
            values[place] = process(values[place])
        return tuple(values)

    return bind
