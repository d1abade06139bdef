"""Foreign keys that must be away while the columns at their ends change."""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import AlterColumnOp, CreateForeignKeyOp, ModifyTableOps
from sqlalchemy import Dialect, Inspector

from timber.common.database.kinds import kind_of
from timber.common.migrations.losses import flat


def keys_in_the_way(
    operations: Sequence[MigrateOperation], view: Inspector, dialect: Dialect
) -> list[ModifyTableOps]:
    """Return what makes the keys again that must be away while a column becomes another kind.

    Both ends of a key change, one after the other, and PostgreSQL checks in between.
    """
    alters = [one for one in flat(operations) if isinstance(one, AlterColumnOp)]
    changed = {(one.table_name, one.column_name) for one in alters if _changes_kind(one, dialect)}
    touched = {getattr(one, "constraint_name", None) for one in flat(operations)}
    reflected = view.info_cache["alembic_foreign_keys"] if changed else {}
    return [
        ModifyTableOps(table, [_foreign_key(table, key)])
        for (_schema, table), keys in sorted(reflected.items())
        for key in keys
        if key["name"] not in touched and _ends(table, key) & changed
    ]


def _changes_kind(operation: AlterColumnOp, dialect: Dialect) -> bool:
    new, old = operation.modify_type, operation.existing_type
    if new is None or old is None:
        return False
    return kind_of(new, dialect).name != kind_of(old, dialect).name


def _ends(table: str, key: dict[str, Any]) -> set[tuple[str, str]]:
    here = {(table, name) for name in key["constrained_columns"]}
    return here | {(key["referred_table"], name) for name in key["referred_columns"]}


def _foreign_key(table: str, key: dict[str, Any]) -> CreateForeignKeyOp:
    return CreateForeignKeyOp(
        key["name"],
        table,
        key["referred_table"],
        key["constrained_columns"],
        key["referred_columns"],
        **{name: key.get("options", {}).get(name) for name in ("ondelete", "onupdate")},
    )
