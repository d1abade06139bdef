"""The dialect of model files: what may be written, as pydantic models."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictBool, StrictStr, WithJsonSchema, model_validator

from timber.common.modeling.column_types import ColumnType, parse_type
from timber.common.modeling.features import (
    AuditSpec,
    CachingSpec,
    EncryptionSpec,
    GdprSpec,
    RetentionSpec,
    StatesSpec,
    VectorSearchSpec,
)
from timber.common.modeling.mixins import MIXINS
from timber.common.modeling.notation import (
    MAX_NAME,
    ConditionText,
    Name,
    Names,
    Reference,
    Spec,
    TypeName,
)
from timber.common.modeling.relationship_spec import RelationshipSpec

__all__ = [
    "MAX_NAME",
    "AuditSpec",
    "CachingSpec",
    "CheckSpec",
    "ColumnSpec",
    "EncryptionSpec",
    "ForeignKeySpec",
    "GdprSpec",
    "IndexSpec",
    "MixinSpec",
    "ModelFile",
    "ModelSpec",
    "RelationshipSpec",
    "RetentionSpec",
    "StatesSpec",
    "TableSpec",
    "UniqueSpec",
    "VectorSearchSpec",
]

MixinName = Annotated[
    Name,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [*MIXINS, "OwnerMixin"]},
                {"type": "string", "pattern": "^(?!__)[A-Za-z_]\\w*$", "maxLength": MAX_NAME},
            ]
        }
    ),
]
Action = Literal["cascade", "set null", "set default", "restrict", "no action"]
"""What the database does to the rows that point to a row which goes or changes its key."""


def _action(written: Any) -> Any:
    return written.lower().replace("_", " ") if isinstance(written, str) else written


Actions = Annotated[Action | None, BeforeValidator(_action)]


class ColumnSpec(Spec):
    """One column; it may be null unless it is a primary key or says otherwise."""

    name: Name
    type: TypeName
    primary_key: StrictBool = False
    default: Any = None
    """What Timber stores where nothing is given: a literal, `uuid4`, `uuid7` or `now`."""
    server_default: Any = None
    """What the database stores where nothing is given: a literal, `uuid4` or `now`."""
    nullable: StrictBool | None = None
    unique: StrictBool = False
    index: StrictBool = False
    foreign_key: Reference | None = None
    on_delete: Actions = None
    on_update: Actions = None
    check: ConditionText | None = None
    """What must hold for every row, such as `price > 0`."""
    sensitive: StrictBool = False
    """Whether tools that show rows, such as the admin site, mask its values."""
    personal: StrictBool = False
    """Whether it tells something about a person, so that the model must say whose rows are."""
    description: StrictStr | None = None
    was: Name | None = None
    """What the column was called before: a migration renames it, and keeps what is in it."""

    @property
    def column_type(self) -> ColumnType:
        return parse_type(self.type)

    @property
    def may_be_null(self) -> bool:
        """Whether the column takes null."""
        return not self.primary_key if self.nullable is None else self.nullable

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.primary_key and self.nullable:
            raise ValueError("a primary key cannot be nullable")
        if self.default is not None:
            _raise(self.column_type.default_problem(self.default))
        if self.server_default is not None:
            _raise(self.column_type.server_default_problem(self.server_default))
        if self.foreign_key is None and (self.on_delete or self.on_update):
            raise ValueError("`on_delete` and `on_update` belong to a `foreign_key`")
        if not self.may_be_null and "set null" in {self.on_delete, self.on_update}:
            raise ValueError("`set null` needs a column that may be null")
        return self


def _raise(problem: str | None) -> None:
    if problem:
        raise ValueError(problem)


class ForeignKeySpec(Spec):
    """A foreign key of several columns."""

    columns: Names
    references: Annotated[tuple[Reference, ...], Field(min_length=1)]
    """The columns of the other table, in the same order, each as `table.column`."""
    on_delete: Actions = None
    on_update: Actions = None

    @property
    def table(self) -> str:
        """The table it points to."""
        return self.references[0].partition(".")[0]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.columns) != len(self.references):
            raise ValueError("`columns` and `references` need the same number of columns")
        if len({reference.partition(".")[0] for reference in self.references}) > 1:
            raise ValueError("all `references` must be columns of one table")
        return self


class CheckSpec(Spec):
    """What must hold for every row."""

    name: Name
    condition: ConditionText


class UniqueSpec(Spec):
    """Columns that together have no value twice."""

    columns: Names
    name: Name | None = None


class IndexSpec(Spec):
    """An index over columns, in the order given."""

    name: Name
    columns: Names
    unique: StrictBool = False
    where: ConditionText | None = None
    """Which rows it holds; all when left out."""


class TableSpec(Spec):
    """A table that links two others, without a model of its own."""

    name: Name
    was: Name | None = None
    """What the table was called before."""
    columns: Annotated[tuple[ColumnSpec, ...], Field(min_length=1)]
    foreign_keys: tuple[ForeignKeySpec, ...] = ()
    unique: tuple[UniqueSpec, ...] = ()
    checks: tuple[CheckSpec, ...] = ()
    indexes: tuple[IndexSpec, ...] = ()
    description: StrictStr | None = None


class MixinSpec(Spec):
    """Columns that several models share."""

    name: Name
    columns: Annotated[tuple[ColumnSpec, ...], Field(min_length=1)]
    description: StrictStr | None = None


class ModelSpec(Spec):
    """One model: a class, its table, and what Timber does for its rows."""

    name: Name
    table_name: Name
    was: Name | None = None
    """What the table was called before: a migration renames it, and keeps its rows."""
    session_type: StrictStr | None = None
    """By this the session service finds the model."""
    description: StrictStr | None = None
    mixins: tuple[MixinName, ...] = ()
    """Timber's own mixins, and those of the model files."""
    columns: Annotated[tuple[ColumnSpec, ...], Field(min_length=1)]
    foreign_keys: tuple[ForeignKeySpec, ...] = ()
    unique: tuple[UniqueSpec, ...] = ()
    checks: tuple[CheckSpec, ...] = ()
    indexes: tuple[IndexSpec, ...] = ()
    relationships: tuple[RelationshipSpec, ...] = ()
    states: StatesSpec | None = None
    encryption: EncryptionSpec | None = None
    caching: CachingSpec | None = None
    vector_search: VectorSearchSpec | None = None
    gdpr: GdprSpec | None = None
    retention: RetentionSpec | None = None
    audit: AuditSpec | None = None

    def column(self, name: str) -> ColumnSpec | None:
        """Return the column of that name as written here; None if it is not."""
        return next((column for column in self.columns if column.name == name), None)


class ModelFile(Spec):
    """What one file holds."""

    version: StrictStr | None = None
    mixins: tuple[MixinSpec, ...] = ()
    association_tables: tuple[TableSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()
