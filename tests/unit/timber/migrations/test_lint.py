"""What people are told of locks, rewrites and rebuilds before a step runs."""

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateTableOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    ModifyTableOps,
)
from sqlalchemy import make_url
from sqlalchemy.types import TypeEngine

from timber.common.migrations.lint import lint
from timber.common.migrations.operations import (
    AddFilledColumnOp,
    FillColumnOp,
    RenameColumnOp,
    ReversibleRenameTableOp,
)

POSTGRES = make_url("postgresql://").get_dialect()()
LITE = make_url("sqlite://").get_dialect()()


def retyped(old: TypeEngine[Any], new: TypeEngine[Any]) -> AlterColumnOp:
    return AlterColumnOp("t", "c", existing_type=old, modify_type=new)


def column(**options: Any) -> sa.Column[Any]:
    return sa.Column("c", sa.String(36), **options)


POSTGRESQL: list[tuple[MigrateOperation, list[str]]] = [
    (AddColumnOp("t", column()), []),
    (AddFilledColumnOp("t", column(nullable=False), value="x"), ["compatibility"]),
    (
        AddFilledColumnOp("t", column(nullable=False), generate="uuid4"),
        ["rewrite", "scan", "compatibility"],
    ),
    (FillColumnOp("t", "c", value="x"), ["rewrite"]),
    (retyped(sa.String(10), sa.String(20)), []),
    (retyped(sa.String(10), sa.Text()), []),
    (retyped(sa.Numeric(10, 2), sa.Numeric(12, 2)), []),
    (retyped(sa.Integer(), sa.BigInteger()), ["rewrite"]),
    (retyped(sa.String(20), sa.String(10)), ["rewrite"]),
    (AlterColumnOp("t", "c", modify_nullable=False), ["scan"]),
    (AlterColumnOp("t", "c", modify_nullable=True), []),
    (CreateIndexOp("ix", "t", ["c"]), ["lock"]),
    (CreateUniqueConstraintOp("uq", "t", ["c"]), ["lock"]),
    (CreateForeignKeyOp("fk", "t", "others", ["c"], ["id"]), ["scan"]),
    (DropColumnOp("t", "c"), ["compatibility"]),
    (RenameColumnOp("t", "c", "d", sa.Integer()), ["compatibility"]),
    (ReversibleRenameTableOp("t", "u"), ["compatibility"]),
]


@pytest.mark.parametrize(("operation", "rules"), POSTGRESQL)
def test_postgresql_warns_of_what_stops_others(
    operation: MigrateOperation, rules: list[str]
) -> None:
    assert [one.rule for one in lint([operation], POSTGRES)] == rules


def test_a_table_that_is_new_stops_nobody() -> None:
    operations = [CreateTableOp("t", [column()]), CreateIndexOp("ix", "t", ["c"])]

    assert lint(operations, POSTGRES) == ()


SQLITE: list[tuple[MigrateOperation, bool]] = [
    (AddColumnOp("t", column()), False),
    (CreateIndexOp("ix", "t", ["c"]), False),
    (AlterColumnOp("t", "c", modify_nullable=False), True),
    (DropColumnOp("t", "c"), True),
    (retyped(sa.String(10), sa.String(20)), True),
]


@pytest.mark.parametrize(("operation", "rebuilt"), SQLITE)
def test_sqlite_warns_of_a_table_that_is_copied(
    operation: MigrateOperation, rebuilt: bool
) -> None:
    found = lint([ModifyTableOps("t", [operation])], LITE)

    assert ("rebuild" in {one.rule for one in found}) is rebuilt


def test_a_warning_says_who_waits_in_plain_words() -> None:
    [warning] = lint([CreateIndexOp("ix_c", "t", ["c"])], POSTGRES)

    assert "nobody can write to the table while the index ix_c is built" in str(warning)
    assert "CONCURRENTLY" in str(warning)
