"""What a step does to those who use the database meanwhile, in plain words."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateTableOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    DropIndexOp,
    DropTableOp,
    ModifyTableOps,
    RenameTableOp,
)
from sqlalchemy import Dialect
from typing_extensions import override

from timber.common.database.kinds import kind_of
from timber.common.migrations.conversions import conversion
from timber.common.migrations.losses import flat, table_of
from timber.common.migrations.operations import (
    AddFilledColumnOp,
    FillColumnOp,
    RenameColumnOp,
    RenameUniqueConstraintOp,
)
from timber.common.migrations.seal_operations import SealRowsOp

_SHUT: Final = "nobody can read or write"
_OLD_PROCESSES: Final = "processes that still run with the old models fail from then on"

_REMAINS: Final = {
    "sqlite": "the file is written anew when the step is done, so that no former text stays in it",
    "postgresql": (
        "dead rows keep the former text until VACUUM FULL, and so does the write-ahead log until "
        "it is recycled, wherever it is archived"
    ),
}
"""By dialect: where what was in plain text stays, or does not."""


@dataclass(frozen=True)
class LintWarning:
    """Something to know before a step runs."""

    rule: str
    """Its short name: `rewrite`, `scan`, `lock`, `rebuild`, `remains` or `compatibility`."""
    table: str
    message: str

    @override
    def __str__(self) -> str:
        return f"{self.table}: {self.message} [{self.rule}]"


def lint(operations: Iterable[MigrateOperation], dialect: Dialect) -> tuple[LintWarning, ...]:
    """Return what to know about operations on a database of this kind.

    Tables that the same operations create are empty and unknown to others: nothing to say there.
    """
    operations = tuple(operations)
    new = {one.table_name for one in flat(operations) if isinstance(one, CreateTableOp)}
    rules = _rebuilds if dialect.name == "sqlite" else _locks
    found = (*rules(operations, dialect), *_compatibility(operations, dialect))
    return tuple(dict.fromkeys(one for one in found if one.table not in new))


# ------------------------------------------------------------------ both


def _compatibility(
    operations: Iterable[MigrateOperation], dialect: Dialect
) -> Iterator[LintWarning]:
    for operation in flat(operations):
        match operation:
            case RenameTableOp(table_name=table) | DropTableOp(table_name=table):
                yield LintWarning("compatibility", table, f"the table goes; {_OLD_PROCESSES}")
            case (
                RenameColumnOp(table_name=table, column_name=column)
                | DropColumnOp(table_name=table, column_name=column)
            ):
                message = f"the column {column} goes; {_OLD_PROCESSES}"
                yield LintWarning("compatibility", table, message)
            case AddFilledColumnOp(table_name=table, column=column):
                message = (
                    f"{column.name} must have a value from then on, "
                    "which processes that still run with the old models do not give"
                )
                yield LintWarning("compatibility", table, message)
            case SealRowsOp(table_name=table):
                yield from _seals(table, operation, dialect)
            case _:
                pass


def _seals(table: str, operation: SealRowsOp, dialect: Dialect) -> Iterator[LintWarning]:
    message = (
        f"every row is read, changed and written; {_OLD_PROCESSES}, so stop them before, and "
        "start them with the new models after"
    )
    yield LintWarning("rewrite", table, message)
    if operation.newly_sealed:
        listed = ", ".join(operation.newly_sealed)
        message = (
            f"{_REMAINS[dialect.name]}; backups keep {listed} in plain text until they expire"
        )
        yield LintWarning("remains", table, message)


# ------------------------------------------------------------------ SQLite


def _rebuilds(operations: Iterable[MigrateOperation], _dialect: Dialect) -> Iterator[LintWarning]:
    message = (
        "is copied as a whole, for SQLite can change it in no other way; the file grows by as "
        "much meanwhile, and other writers wait"
    )
    for operation in operations:
        if _is_rebuilt(operation):
            yield LintWarning("rebuild", table_of(operation), message)


def _is_rebuilt(operation: MigrateOperation) -> bool:
    if isinstance(operation, AddFilledColumnOp | RenameUniqueConstraintOp):
        return True
    if not isinstance(operation, ModifyTableOps):
        return False
    cheap = (CreateIndexOp, DropIndexOp)
    return any(
        not isinstance(one, cheap)
        and not (isinstance(one, AddColumnOp) and one.column.server_default is None)
        for one in operation.ops
    )


# ------------------------------------------------------------------ PostgreSQL


def _locks(operations: Iterable[MigrateOperation], dialect: Dialect) -> Iterator[LintWarning]:
    for operation in flat(operations):
        table = table_of(operation)
        for kind, tell in _POSTGRESQL.items():
            if isinstance(operation, kind):
                yield from (
                    LintWarning(rule, table, text) for rule, text in tell(operation, dialect)
                )


Told = Iterator[tuple[str, str]]


def _tell_added(operation: Any, _dialect: Dialect) -> Told:
    if isinstance(operation, AddFilledColumnOp) and operation.generate is not None:
        name = operation.column.name
        yield "rewrite", f"every row is written to give it a {name}; {_SHUT} the table meanwhile"
        yield "scan", f"every row is read to see that it has a {name}; {_SHUT} the table meanwhile"


def _tell_filled(operation: Any, _dialect: Dialect) -> Told:
    yield (
        "rewrite",
        f"every row without {operation.column_name} is written; those who change such a row wait",
    )


def _tell_altered(operation: Any, dialect: Dialect) -> Told:
    name, new, old = operation.column_name, operation.modify_type, operation.existing_type
    if new is not None and _rewrites(name, old, new, dialect):
        yield (
            "rewrite",
            f"the table and its indexes are written anew to convert {name}; {_SHUT} it meanwhile",
        )
    if operation.modify_nullable is False:
        yield "scan", f"every row is read to see that it has a {name}; {_SHUT} the table meanwhile"


def _rewrites(name: str, old: Any, new: Any, dialect: Dialect) -> bool:
    """Tell whether PostgreSQL writes the table anew; a longer text costs it nothing."""
    if old is None:
        return True
    kinds = kind_of(old, dialect).name, kind_of(new, dialect).name
    keeps = kinds in {("text", "text"), ("numeric", "numeric")}
    return not (keeps and conversion(name, old, new, dialect).misfits is None)


def _tell_index(operation: Any, _dialect: Dialect) -> Told:
    message = (
        f"nobody can write to the table while the index {operation.index_name} is built; if it "
        "is large, run CREATE INDEX CONCURRENTLY first and give the step `if_not_exists=True`"
    )
    yield "lock", message


def _tell_unique(operation: Any, _dialect: Dialect) -> Told:
    name = operation.constraint_name
    yield "lock", f"{_SHUT} the table while the index behind {name} is built"


def _tell_foreign_key(operation: Any, _dialect: Dialect) -> Told:
    target = operation.referent_table
    yield "scan", f"every row is checked; nobody can write to it or to {target} meanwhile"


def _tell_check(operation: Any, _dialect: Dialect) -> Told:
    yield "scan", f"every row is checked for {operation.constraint_name}; {_SHUT} it meanwhile"


_POSTGRESQL: Final[dict[type[MigrateOperation], Callable[[Any, Dialect], Told]]] = {
    AddColumnOp: _tell_added,
    FillColumnOp: _tell_filled,
    AlterColumnOp: _tell_altered,
    CreateIndexOp: _tell_index,
    CreateUniqueConstraintOp: _tell_unique,
    CreateForeignKeyOp: _tell_foreign_key,
    CreateCheckConstraintOp: _tell_check,
}
