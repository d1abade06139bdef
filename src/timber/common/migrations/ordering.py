"""In which order tables come and go: never one before those that it points to."""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    CreateForeignKeyOp,
    CreateTableOp,
    DropTableOp,
    ModifyTableOps,
)
from sqlalchemy import ForeignKeyConstraint, Table

from timber.common.migrations.losses import flat


def in_order(operations: Sequence[MigrateOperation]) -> list[MigrateOperation]:
    """Return operations on whole tables so that each can run when its turn comes.

    Where tables point to each other in a circle, a foreign key is made after, or goes before,
    all of them.
    """
    creates = {one.table_name: _whole(one) for one in operations if isinstance(one, CreateTableOp)}
    drops = {one.table_name: one for one in operations if isinstance(one, DropTableOp)}
    others = [one for one in operations if not isinstance(one, CreateTableOp | DropTableOp)]
    others = [one for one in others if not _goes_with(one, drops)]
    for key in (one for one in flat(others) if isinstance(one, CreateForeignKeyOp)):
        key.kw.pop("use_alter", None)  # both of its tables are there by then
    made, late = _sorted({name: one.to_table() for name, one in creates.items()})
    gone, early = _sorted({name: one.to_table() for name, one in drops.items()})
    for name, keys in late.items():
        creates[name].columns = [one for one in creates[name].columns if not _is_one(one, keys)]
    return [
        *(creates[name] for name in made),
        *others,
        *_foreign_keys(late),
        *(one.reverse() for one in _foreign_keys(early)),
        *(drops[name] for name in reversed(gone)),
    ]


def _whole(operation: CreateTableOp) -> CreateTableOp:
    """Return the operation anew, with every foreign key as a part of the table.

    Alembic passes over those that the models want to be added later, for it does not add them.
    """
    table = operation.to_table()
    for key in table.foreign_key_constraints:
        key.use_alter = False
    return CreateTableOp.from_table(table)


def _goes_with(operation: MigrateOperation, drops: dict[str, DropTableOp]) -> bool:
    """Tell whether an operation drops indexes of a table that goes as a whole."""
    return isinstance(operation, ModifyTableOps) and operation.table_name in drops


def _is_one(item: Any, keys: Sequence[ForeignKeyConstraint]) -> bool:
    return isinstance(item, ForeignKeyConstraint) and item.name in {key.name for key in keys}


def _sorted(
    tables: dict[str, Table],
) -> tuple[tuple[str, ...], dict[str, list[ForeignKeyConstraint]]]:
    """Return the names, what is pointed to first, and the keys that stand in the way."""
    edges = {name: _targets(tables[name]) for name in sorted(tables)}
    graph = {
        name: sorted(target for target in targets if target in tables and target != name)
        for name, targets in edges.items()
    }
    cut: dict[str, list[ForeignKeyConstraint]] = {}
    while True:
        try:
            return tuple(TopologicalSorter(graph).static_order()), cut
        except CycleError as error:
            target, holder = error.args[1][:2]
            graph[holder].remove(target)
            cut.setdefault(holder, []).extend(edges[holder][target])


def _targets(table: Table) -> dict[str, list[ForeignKeyConstraint]]:
    found: dict[str, list[ForeignKeyConstraint]] = {}
    for constraint in sorted(table.foreign_key_constraints, key=lambda one: str(one.name)):
        target = constraint.elements[0].target_fullname.rpartition(".")[0]
        found.setdefault(target, []).append(constraint)
    return found


def _foreign_keys(keys: dict[str, list[ForeignKeyConstraint]]) -> list[ModifyTableOps]:
    return [
        ModifyTableOps(name, [CreateForeignKeyOp.from_constraint(key) for key in held])
        for name, held in sorted(keys.items())
    ]
