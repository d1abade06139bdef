"""What lies between a database and the models, as operations that lead there and back."""

import warnings
from collections.abc import Iterator, Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation
from alembic.operations.ops import DowngradeOps, UpgradeOps
from sqlalchemy import Connection, Dialect, Inspector, MetaData, inspect
from sqlalchemy.exc import SAWarning
from sqlalchemy.types import TypeEngine

from timber.common.database.attachments import attachments_of
from timber.common.database.kinds import kind_of
from timber.common.errors import MigrationError
from timber.common.migrations.arrangement import Arrangement
from timber.common.migrations.attached import find_attached
from timber.common.migrations.context import migration_context
from timber.common.migrations.operations import RenameColumnOp, ReversibleRenameTableOp
from timber.common.migrations.renames import Renames, find_renames
from timber.common.migrations.seal_difference import find_seals
from timber.common.migrations.view import show_renamed


@dataclass(frozen=True)
class Difference:
    """The way from a database to the models."""

    renames: Renames
    """Those that come before all else."""
    upgrade: tuple[MigrateOperation, ...]
    downgrade: tuple[MigrateOperation, ...]

    @property
    def is_empty(self) -> bool:
        return not self.upgrade


def find_difference(
    connection: Connection, metadata: MetaData, *, known: AbstractSet[str]
) -> Difference:
    """Compare a database with the tables of the models; nothing is changed or locked.

    Tables that are in neither the models nor `known` belong to others, and are left alone.

    Raises:
        MigrationError: no operation leads from the one to the other.

    """
    renames = find_renames(inspect(connection), metadata)
    view = show_renamed(inspect(connection), renames)
    _refuse_new_keys(view, metadata)
    seals = find_seals(connection, metadata, renames, view)
    found = _compare(connection, view, metadata, known)
    reverse = found.reverse_into(DowngradeOps([])).ops  # of what was not yet arranged
    names = _rename_operations(metadata, renames)
    arrangement = Arrangement(connection=connection, metadata=metadata, renames=renames, view=view)
    there = arrangement.upgrade(found.ops)
    back = arrangement.downgrade(reverse)
    rules_back = arrangement.downgrade(seals.rules_back)
    attached = find_attached(
        connection, metadata, known=known, there=frozenset(inspect(connection).get_table_names())
    )
    names_back = (one.reverse() for one in reversed(names))
    return Difference(
        renames=renames,
        upgrade=(*attached.first, *names, *seals.upgrade, *there, *attached.last),
        downgrade=(
            *(*attached.first_back, *back, *seals.seals_back, *rules_back),
            *(*names_back, *attached.last_back),
        ),
    )


def _compare(
    connection: Connection, view: Inspector, metadata: MetaData, known: AbstractSet[str]
) -> UpgradeOps:
    attached = attachments_of(metadata).of(connection.dialect)
    beside = {name for one in attached for name in one.objects}

    def ours(name: str | None, kind: str, _parents: Any) -> bool:
        if kind == "index":
            return name not in beside
        return kind != "table" or name in metadata.tables or name in known

    context = migration_context(
        connection,
        include_name=ours,
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    )
    comparison = AutogenContext(context, metadata=metadata)
    # The place of a memoized property, which would look at the database as it is.
    vars(comparison)["inspector"] = view
    found = UpgradeOps([])
    with warnings.catch_warnings():
        # Tables that point to each other in a circle are ours to sort.
        warnings.filterwarnings("ignore", "Cannot correctly sort tables", SAWarning)
        comparison.comparators.dispatch("autogenerate", qualifier=connection.dialect.name)(
            comparison, found
        )
    return found


def _rename_operations(metadata: MetaData, renames: Renames) -> list[MigrateOperation]:
    columns: Iterator[MigrateOperation] = (
        RenameColumnOp(table, old, new, metadata.tables[table].c[new].type)
        for table, names in renames.columns.items()
        for old, new in names.items()
    )
    return [
        *(ReversibleRenameTableOp(old, new) for old, new in renames.tables.items()),
        *columns,
    ]


def _refuse_new_keys(view: Inspector, metadata: MetaData) -> None:
    """Refuse a change that Alembic does not see, and that no single operation makes."""
    keys = view.info_cache["alembic_pk_constraint"]
    for table in metadata.tables.values():
        reflected = keys.get((None, table.name))
        if reflected is None:
            continue
        types = {
            one["name"]: one["type"]
            for one in view.info_cache["alembic_columns"][None, table.name]
        }
        before = {name: types[name] for name in reflected["constrained_columns"]}
        after = {column.name: column.type for column in table.primary_key.columns}
        if before.keys() != after.keys() or any(
            _is_another(before[name], kind, view.dialect) for name, kind in after.items()
        ):
            is_, says = (_written(key, view.dialect) for key in (before, after))
            raise MigrationError(
                f"the primary key of {table.name!r} is ({is_}) in the database and ({says}) in "
                "the models: make a new model with the new key, copy the rows, then drop the old "
                "one"
            )


def _is_another(before: TypeEngine[Any], after: TypeEngine[Any], dialect: Dialect) -> bool:
    kinds = {kind_of(before, dialect).name, kind_of(after, dialect).name}
    return "other" not in kinds and len(kinds) > 1  # what nobody can name is not ours to judge


def _written(key: dict[str, TypeEngine[Any]], dialect: Dialect) -> str:
    return ", ".join(f"{name} {kind.compile(dialect)}" for name, kind in key.items())
