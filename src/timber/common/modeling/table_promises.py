"""What the mixins promise that must be written into the tables themselves."""

from typing import Any

from sqlalchemy import Column, ColumnDefault, ColumnElement, Index, Table, UniqueConstraint, and_

from timber.common.modeling.mixins import OptimisticLockMixin, SoftDeleteMixin


def keep_promises(model: type[Any]) -> None:
    """Complete the table of a class that has just been mapped."""
    table: Table = model.__table__
    if issubclass(model, OptimisticLockMixin):
        _count_changes(table.c.version)
    if issubclass(model, SoftDeleteMixin):
        _ignore_deleted(table)


def _count_changes(version: Column[Any]) -> None:
    """Let every UPDATE that does not say otherwise count the version up."""
    counted: Any = ColumnDefault(version + 1, for_update=True)
    counted._set_parent_with_dispatch(version)  # noqa: SLF001 - the column must be there before what is made of it


def _ignore_deleted(table: Table) -> None:
    """Make what is unique in the table unique among the rows that are not deleted."""
    alive = table.c.deleted_at.is_(None)
    for constraint in list(table.constraints):
        if isinstance(constraint, UniqueConstraint):
            table.constraints.remove(constraint)
            names = "_".join(column.name for column in constraint.columns)
            # Named as the constraint would be.
            given = constraint.name
            name = given if isinstance(given, str) else f"uq_{table.name}_{names}"
            Index(name, *constraint.columns, unique=True)  # which puts it into the table
    for index in table.indexes:
        if index.unique:
            _narrow(index, alive)
    for column in table.columns:
        column.unique = None


def _narrow(index: Index, condition: ColumnElement[bool]) -> None:
    for dialect in ("sqlite", "postgresql"):
        options = index.dialect_options[dialect]
        written = options["where"]
        options["where"] = condition if written is None else and_(written, condition)
