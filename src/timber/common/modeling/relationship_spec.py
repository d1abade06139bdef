"""The dialect of relationships in model files."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, StrictBool, StrictStr, WithJsonSchema, model_validator

from timber.common.modeling.notation import Name, OneOrMoreNames, Orders, Spec

Cascade = Literal[
    "save-update", "merge", "refresh-expire", "expunge", "delete", "delete-orphan", "all"
]
Lazy = Literal[
    "select", "joined", "selectin", "subquery", "immediate", "raise", "write_only", "dynamic"
]


def _split(written: Any) -> Any:
    return tuple(map(str.strip, written.split(","))) if isinstance(written, str) else written


Cascades = Annotated[
    tuple[Cascade, ...],
    BeforeValidator(_split),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    ),
]


class RelationshipSpec(Spec):
    """A way from the rows of one model to those of another."""

    name: Name
    model: Name
    type: Literal["many_to_one", "one_to_many", "one_to_one", "many_to_many"]
    secondary: Name | None = None
    """The association table of a `many_to_many`."""
    back_populates: Name | None = None
    """The relationship of the other model that shows the same link."""
    foreign_key: OneOrMoreNames | None = None
    """Which column makes the link, or which columns, where more than one could."""
    order_by: Orders = ()
    """How the rows of a collection are sorted, such as `[year desc, title]`."""
    cascade: Cascades = ()
    """What is done to these rows when it is done to the row that has them."""
    lazy: Lazy = "select"
    """When and how the rows are loaded."""
    passive_deletes: StrictBool | None = None
    """Whether the database alone deals with these rows when their owner is deleted."""
    post_update: StrictBool = False
    """Whether the link is written after both rows, which may need each other."""
    viewonly: StrictBool = False
    """Whether the link is only read here."""
    description: StrictStr | None = None

    @property
    def is_collection(self) -> bool:
        """Whether it leads to many rows."""
        return self.type in {"one_to_many", "many_to_many"}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.type == "many_to_many") != (self.secondary is not None):
            raise ValueError("a many_to_many, and nothing else, names its table in `secondary`")
        if self.secondary and self.foreign_key:
            raise ValueError("a many_to_many finds its foreign keys in its `secondary` table")
        if not self.is_collection and (self.order_by or self.lazy in {"dynamic", "write_only"}):
            raise ValueError("`order_by`, and `lazy: dynamic` or `write_only`, need many rows")
        if self.viewonly and (self.cascade or self.back_populates or self.post_update):
            raise ValueError("`viewonly` has no cascade, `back_populates` or `post_update`")
        if "delete-orphan" in self.cascade:
            self._can_have_orphans()
        return self

    def _can_have_orphans(self) -> None:
        if self.type in {"many_to_one", "many_to_many"}:
            raise ValueError("`delete-orphan` belongs to the side that has a row to itself")
        if not {"delete", "all"} & set(self.cascade):
            raise ValueError("`delete-orphan` needs `delete` as well")
