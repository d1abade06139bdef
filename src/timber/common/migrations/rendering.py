"""How our operations, and the types of columns, are written in the file of a step.

Importing this module teaches it to Alembic.
"""

from typing import Any, Literal

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import (
    _add_check_constraint,
    _render_gen_name,
    _repr_type,
    render_op_text,
)
from alembic.operations.ops import AddColumnOp, CreateCheckConstraintOp, RenameTableOp
from sqlalchemy import JSON, CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from timber.common.migrations.operations import (
    AddFilledColumnOp,
    FillColumnOp,
    RenameColumnOp,
    RenameIndexOp,
    RenameUniqueConstraintOp,
)
from timber.common.migrations.seal_operations import SealRowsOp
from timber.common.migrations.sealed_conditions import sealed_condition
from timber.common.migrations.vector_operations import (
    CreateVectorStorageOp,
    DropVectorStorageOp,
    UnwatchRowsOp,
    WatchRowsOp,
)
from timber.common.modeling.stored_types import TextEnum


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Write a type as the plain one that the database keeps, so that a step needs no model."""
    if kind == "check":
        return _rendered_check(item, context)
    return _rendered_type(item, context) if kind == "type" else False


def _rendered_type(item: Any, context: AutogenContext) -> str | Literal[False]:
    if isinstance(item, TypeDecorator | TextEnum):
        plain = item.plain if isinstance(item, TextEnum) else item.impl_instance
        written: str = _repr_type(plain, context)
        return written
    if isinstance(item, JSONB):
        return "postgresql.JSONB()"
    if isinstance(item, JSON) and "postgresql" in item._variant_mapping:  # noqa: SLF001 - no other way to see it
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def _rendered_check(check: CheckConstraint, context: AutogenContext) -> str | Literal[False]:
    """Write a condition of sealed values as what it means, for each database has its words."""
    condition = sealed_condition(check.sqltext)
    if condition is None:
        return False
    return f"sa.CheckConstraint({condition}, name={_render_gen_name(context, check.name)!r})"


@renderers.dispatch_for(CreateCheckConstraintOp, replace=True)
def _render_create_check(context: AutogenContext, operation: CreateCheckConstraintOp) -> str:
    condition = sealed_condition(operation.to_constraint().sqltext)
    if condition is None:
        plain: str = _add_check_constraint(context, operation)
        return plain
    batch = getattr(context, "_has_batch", False)
    table = "" if batch else f"{operation.table_name!r}, "
    name = _render_gen_name(context, operation.constraint_name)
    prefix = "batch_op" if batch else "op"
    return f"{prefix}.create_check_constraint({name!r}, {table}{condition})"


@renderers.dispatch_for(SealRowsOp)
def _render_seal_rows(context: AutogenContext, operation: SealRowsOp) -> str:
    said = [repr(operation.table_name)]
    for name in ("before", "after"):
        part = getattr(operation, name)
        if part is not None:
            said.append(f"{name}={part.as_dict()!r}")
    if operation.plain:
        columns = (
            f"sa.Column({name!r}, {_repr_type(column.type, context)})"
            for name, column in operation.plain.items()
        )
        said.append(f"plain=[{', '.join(columns)}]")
    if operation.fill:
        said.append(f"fill={operation.fill!r}")
    return f"op.seal_rows({', '.join(said)})"


@renderers.dispatch_for(FillColumnOp)
def _render_fill(_context: AutogenContext, operation: FillColumnOp) -> str:
    return (
        f"op.fill_column({operation.table_name!r}, {operation.column_name!r}, "
        f"{_source(operation.value, operation.generate)})"
    )


@renderers.dispatch_for(AddFilledColumnOp)
def _render_add_filled(context: AutogenContext, operation: AddFilledColumnOp) -> str:
    plain = render_op_text(context, AddColumnOp(operation.table_name, operation.column))
    arguments = plain.removeprefix("op.add_column(").removesuffix(")")
    return f"op.add_filled_column({arguments}, {_source(operation.value, operation.generate)})"


def _source(value: object, generate: str | None) -> str:
    return f"value={value!r}" if generate is None else f"generate={generate!r}"


@renderers.dispatch_for(RenameIndexOp)
def _render_rename_index(_context: AutogenContext, operation: RenameIndexOp) -> str:
    unique = ", unique=True" if operation.unique else ""
    return (
        f"op.rename_index({operation.old_name!r}, {operation.new_name!r}, "
        f"table_name={operation.table_name!r}, columns={list(operation.columns)!r}{unique})"
    )


@renderers.dispatch_for(RenameUniqueConstraintOp)
def _render_rename_unique(_context: AutogenContext, operation: RenameUniqueConstraintOp) -> str:
    return (
        f"op.rename_unique_constraint({operation.old_name!r}, {operation.new_name!r}, "
        f"table_name={operation.table_name!r}, columns={list(operation.columns)!r})"
    )


@renderers.dispatch_for(RenameTableOp)
def _render_rename_table(_context: AutogenContext, operation: RenameTableOp) -> str:
    return f"op.rename_table({operation.table_name!r}, {operation.new_table_name!r})"


@renderers.dispatch_for(RenameColumnOp)
def _render_rename_column(_context: AutogenContext, operation: RenameColumnOp) -> str:
    return (
        f"op.alter_column({operation.table_name!r}, {operation.column_name!r}, "
        f"new_column_name={operation.new_name!r})"
    )


@renderers.dispatch_for(CreateVectorStorageOp)
def _render_storage(_context: AutogenContext, _operation: CreateVectorStorageOp) -> str:
    return "op.create_vector_storage()"


@renderers.dispatch_for(DropVectorStorageOp)
def _render_no_storage(_context: AutogenContext, _operation: DropVectorStorageOp) -> str:
    return "op.drop_vector_storage()"


@renderers.dispatch_for(WatchRowsOp)
def _render_watch(_context: AutogenContext, operation: WatchRowsOp) -> str:
    said = "".join(f", {key}={value!r}" for key, value in operation.definition.items())
    return f"op.watch_rows({operation.table_name!r}{said})"


@renderers.dispatch_for(UnwatchRowsOp)
def _render_unwatch(_context: AutogenContext, operation: UnwatchRowsOp) -> str:
    forget = "" if operation.forget else ", forget=False"
    return f"op.unwatch_rows({operation.table_name!r}, {list(operation.triggers)!r}{forget})"
