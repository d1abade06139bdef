"""The dialect of model files: what may be written, as pydantic models."""

import keyword
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from timber.common.modeling.column_types import ColumnType, parse_type

MAX_NAME: Final = 63
"""How long a name may be: PostgreSQL cuts longer ones."""


def _identifier(name: str) -> str:
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        raise ValueError(f"{name[:MAX_NAME]!r} cannot be a name: use letters, digits and _")
    if name.startswith("__"):
        raise ValueError(f"{name!r} cannot be a name: two leading underscores are Python's own")
    return name


def _reference(written: str) -> str:
    table, dot, column = written.partition(".")
    if not dot or not table or not column or "." in column:
        raise ValueError("write a foreign key as `table.column`")
    return written


def _type(written: str) -> str:
    parse_type(written)
    return written


Name = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_identifier)]
Reference = Annotated[StrictStr, AfterValidator(_reference)]
TypeName = Annotated[StrictStr, AfterValidator(_type)]
MixinName = Literal["TimestampMixin", "SoftDeleteMixin"]


class _Spec(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class ColumnSpec(_Spec):
    """One column; it may be null unless it is a primary key or says otherwise."""

    name: Name
    type: TypeName
    primary_key: StrictBool = False
    default: Any = None
    """A literal value, `uuid4` (a new id) or `now`."""
    nullable: StrictBool | None = None
    unique: StrictBool = False
    index: StrictBool = False
    foreign_key: Reference | None = None
    sensitive: StrictBool = False
    """Whether tools that show rows, such as the admin site, mask its values."""
    description: StrictStr | None = None
    was: Name | None = None
    """What the column was called before: a migration renames it, and keeps what is in it."""

    @property
    def column_type(self) -> ColumnType:
        return parse_type(self.type)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.primary_key and self.nullable:
            raise ValueError("a primary key cannot be nullable")
        if self.default is not None and (
            problem := self.column_type.default_problem(self.default)
        ):
            raise ValueError(problem)
        return self


class RelationshipSpec(_Spec):
    """A way from the rows of one model to those of another."""

    name: Name
    model: Name
    type: Literal["many_to_one", "one_to_many", "one_to_one", "many_to_many"]
    secondary: Name | None = None
    """The association table of a `many_to_many`."""
    back_populates: Name | None = None
    """The relationship of the other model that shows the same link."""
    foreign_key: Name | None = None
    """Which column makes the link, where more than one could."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.type == "many_to_many") != (self.secondary is not None):
            raise ValueError("a many_to_many, and nothing else, names its table in `secondary`")
        if self.secondary and self.foreign_key:
            raise ValueError("a many_to_many finds its foreign keys in its `secondary` table")
        return self


class IndexSpec(_Spec):
    """An index over columns, in the order given."""

    name: Name
    columns: Annotated[tuple[Name, ...], Field(min_length=1)]
    unique: StrictBool = False


class StatesSpec(_Spec):
    """The state machine of a column."""

    column: Name = "state"
    initial: StrictStr
    transitions: dict[StrictStr, tuple[StrictStr, ...]]
    final: tuple[StrictStr, ...] = ()

    @property
    def all(self) -> frozenset[str]:
        """Every state there is."""
        targets = (state for states in self.transitions.values() for state in states)
        return frozenset((self.initial, *self.transitions, *targets, *self.final))


class EncryptionSpec(_Spec):
    """Which fields are encrypted before they reach the database."""

    enabled: StrictBool
    fields: tuple[Name, ...] = ()


class CachingSpec(_Spec):
    """Whether rows are cached, and for how long."""

    enabled: StrictBool
    ttl_seconds: Annotated[StrictInt, Field(gt=0)] = 3600


class VectorSearchSpec(_Spec):
    """Which field is found by its meaning."""

    enabled: StrictBool
    content_field: Name


class GdprSpec(_Spec):
    """What becomes of the rows about a person who asks for export or erasure."""

    enabled: StrictBool
    user_id_field: Name | None = None
    """The path to the person; found through foreign keys when left out."""
    export_fields: tuple[Name, ...] = ()
    on_erase: Literal["delete", "anonymise", "retain"] = "delete"
    reason: StrictStr | None = None
    """Why rows are retained: the law that demands it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.on_erase == "retain") != bool(self.reason):
            raise ValueError("`on_erase: retain`, and nothing else, needs a `reason`")
        return self


class TableSpec(_Spec):
    """A table that links two others, without a model of its own."""

    name: Name
    was: Name | None = None
    """What the table was called before."""
    columns: Annotated[tuple[ColumnSpec, ...], Field(min_length=1)]


class ModelSpec(_Spec):
    """One model: a class, its table, and what Timber does for its rows."""

    name: Name
    table_name: Name
    was: Name | None = None
    """What the table was called before: a migration renames it, and keeps its rows."""
    session_type: StrictStr | None = None
    """By this the session service finds the model."""
    description: StrictStr | None = None
    mixins: tuple[MixinName, ...] = ()
    columns: Annotated[tuple[ColumnSpec, ...], Field(min_length=1)]
    relationships: tuple[RelationshipSpec, ...] = ()
    indexes: tuple[IndexSpec, ...] = ()
    states: StatesSpec | None = None
    encryption: EncryptionSpec | None = None
    caching: CachingSpec | None = None
    vector_search: VectorSearchSpec | None = None
    gdpr: GdprSpec | None = None

    def column(self, name: str) -> ColumnSpec | None:
        """Return the column of that name as written here; None if it is not."""
        return next((column for column in self.columns if column.name == name), None)


class ModelFile(_Spec):
    """What one file holds."""

    version: StrictStr | None = None
    association_tables: tuple[TableSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()
