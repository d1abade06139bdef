"""What a statement must not ask of sealed columns: it would store what nobody can open."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from sqlalchemy import BindParameter, Column, TableClause
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    ClauseList,
    ExpressionClauseList,
    Grouping,
    Label,
    Null,
    TypeCoerce,
    UnaryExpression,
    _label_reference,
)
from sqlalchemy.sql.functions import count
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import NullType

from timber.common.errors import EncryptedColumnError, PlaintextRefusedError
from timber.common.modeling.sealed import Sealed
from timber.common.modeling.sealed_tables import SealedTable, sealed_of

SEALED_BEFORE: Final = "timber_sealed_before"
"""The option of an INSERT that is compiled for rows which were sealed, indexes and all."""
_OF_NULL: Final = frozenset({operators.is_, operators.is_not})


_TRANSPARENT: Final = (
    ClauseList,
    ExpressionClauseList,
    Grouping,
    Label,
    TypeCoerce,
    UnaryExpression,
)
"""What SQL looks through: the same value is in it."""


def name_of(column: Any) -> str:
    """Return the name of a column as statements hold it: itself, or as text."""
    return str(getattr(column, "key", column))


def is_sql(value: Any) -> bool:
    """Tell whether something is SQL, and not a value."""
    return hasattr(value, "__clause_element__") or hasattr(value, "_traverse_internals")


def refuse_aliases(table: Any) -> None:
    """Refuse to write through an alias of, or a join with, a table with sealed columns."""
    if isinstance(table, TableClause):
        return
    found = next(filter(None, map(sealed_of, iterate(table))), None)
    if found is not None:
        raise PlaintextRefusedError(
            f"{found.name} has sealed columns: write to the table itself, not to an alias of it"
        )


def refuse_indexes(sealed: SealedTable, names: Collection[str]) -> None:
    """Refuse to write an index but together with what it finds."""
    for column in sealed.columns.values():
        if column.index is not None and column.index in names:
            raise PlaintextRefusedError(
                f"{sealed.name}.{column.index} is made of {column.name}: give that"
            )


def refuse_sql(sealed: SealedTable, written: Iterable[tuple[Any, Any]]) -> None:
    """Refuse SQL as the value of a sealed column."""
    for column, value in written:
        if name_of(column) in sealed.columns and not _is_value(value):
            raise PlaintextRefusedError(
                f"{sealed.name}.{name_of(column)} is sealed: give it a value, not SQL"
            )


def _is_value(value: Any) -> bool:
    if isinstance(value, BindParameter):
        # One with a type of its own would pass by what refuses values that are not sealed.
        return isinstance(value.type, NullType | Sealed)
    return not is_sql(value) or isinstance(value, Null)


def refuse_select(sealed: SealedTable, insert: Any) -> None:
    """Refuse an INSERT that takes what it stores in sealed columns from a SELECT."""
    if insert.select is None:
        return
    names = {name_of(one) for one in insert._select_names or ()}  # noqa: SLF001 - nothing public tells
    refuse_indexes(sealed, names)
    found = sealed.columns.keys() & names
    if found:
        raise PlaintextRefusedError(
            f"{sealed.name}.{min(found)} is sealed, so no SELECT can fill it: "
            "read the rows and insert them"
        )


def refuse_moves(table: Any, sealed: SealedTable, names: Collection[str]) -> None:
    """Refuse a change of what sealed values are bound to, unless all are sealed anew."""
    bound = {column.key for column in sealed.bound(table)} | {sealed.link}
    moving, left = bound & set(names), sealed.columns.keys() - set(names)
    if moving and left:
        raise PlaintextRefusedError(
            f"a change of {sealed.name}.{min(map(str, moving))} would leave behind what is "
            f"sealed in {', '.join(sorted(left))}: change it through the ORM, or give these, too"
        )


def completed_upsert(on_conflict: Any, table: Any, sealed: SealedTable) -> Any:
    """Return an ON CONFLICT that stores the indexes of what it stores, too.

    Raises:
        PlaintextRefusedError: what it stores is not sealed for the row that is there.

    """
    given = {name_of(column): value for column, value in on_conflict.update_values_to_set.items()}
    refuse_moves(table, sealed, given.keys())
    refuse_indexes(sealed, given.keys())
    stored = sealed.columns.keys() & given.keys()
    if not stored:
        return on_conflict
    _refuse_other_keys(on_conflict, table, sealed, min(stored))
    wanted = {*stored, *([sealed.link] if sealed.link else [])}
    for name in sorted(map(str, wanted)):
        if not _is_excluded(given.get(name), name):
            raise PlaintextRefusedError(
                f"{sealed.name}.{name} is what something is sealed for, or is sealed: an upsert "
                f"sets it to `excluded.{name}`"
            )
    if sealed.link:
        refuse_moves(table, sealed, given.keys())
    columns = [sealed.columns[name] for name in stored]
    excluded = given[next(iter(stored))].table
    indexes = {one.index: excluded.c[one.index] for one in columns if one.index is not None}
    completed = on_conflict._clone()  # noqa: SLF001 - SQLAlchemy copies its own clauses so
    completed.update_values_to_set = {**on_conflict.update_values_to_set, **indexes}
    return completed


def _refuse_other_keys(on_conflict: Any, table: Any, sealed: SealedTable, stored: str) -> None:
    """Refuse an upsert whose conflict is about anything but the primary key."""
    key = sealed.bound(table)
    target = {name_of(one) for one in on_conflict.inferred_target_elements or ()}
    named = getattr(on_conflict, "constraint_target", None)  # PostgreSQL has it
    by_name = named is not None and not sealed.key and named == table.primary_key.name
    if target != {column.key for column in key} and not by_name:
        raise PlaintextRefusedError(
            f"{sealed.name}.{stored} is sealed for its row, and which row there is in the way "
            "only the key to which it is bound tells: name its columns as `index_elements`"
        )


def _is_excluded(value: Any, name: str) -> bool:
    source = getattr(value, "table", None)
    return (
        isinstance(value, Column)
        and value.key == name
        and source is not None
        and (getattr(source, "name", None) == "excluded")
    )


def refuse_comparison(binary: Any) -> None:
    """Refuse to compare what is sealed with anything but nothing."""
    if binary.operator not in _OF_NULL:
        refuse_within(binary)


def refuse_within(element: Any) -> None:
    """Refuse what is sealed inside other SQL: what is to be found would meet sealed bytes."""
    if isinstance(element, count) and all(isinstance(one, Column) for one in element.clauses):
        return  # whether values are there is no secret
    for operand in _operands(element):
        kind = getattr(operand, "type", None)
        if isinstance(kind, Sealed):
            raise EncryptedColumnError(
                f"{kind.column} is sealed: compare it with a value, not with SQL, and read it "
                "without any SQL around it"
            )


def _operands(element: Any) -> Iterator[Any]:
    for child in element.get_children():
        if isinstance(child, _TRANSPARENT):
            yield from _operands(child)
        else:
            yield child


def refuse_order(clauses: Iterable[Any], what: str) -> None:
    """Refuse to sort or to group by what is sealed: its bytes tell nothing of the values."""
    for clause in clauses:
        while isinstance(clause, UnaryExpression | TypeCoerce | _label_reference):
            clause = clause.element  # noqa: PLW2901 - what is inside
        kind = getattr(clause, "type", None)
        if isinstance(kind, Sealed):
            raise EncryptedColumnError(f"{kind.column} is sealed: nothing is {what} by it")
