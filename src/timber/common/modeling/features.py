"""What a model asks Timber to do for its rows: its state machine and its flags."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from timber.common.modeling.notation import Name, Spec


class StatesSpec(Spec):
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

    @property
    def reachable(self) -> frozenset[str]:
        """The states that a row can come to."""
        found = {self.initial}
        waiting = [self.initial]
        while waiting:
            new = set(self.transitions.get(waiting.pop(), ())) - found
            found |= new
            waiting += new
        return frozenset(found)


class EncryptionSpec(Spec):
    """Which fields are encrypted before they reach the database."""

    enabled: StrictBool
    fields: tuple[Name, ...] = ()


class CachingSpec(Spec):
    """Whether rows are cached, and for how long."""

    enabled: StrictBool
    ttl_seconds: Annotated[StrictInt, Field(gt=0)] = 3600


class VectorSearchSpec(Spec):
    """Which field is found by its meaning."""

    enabled: StrictBool
    content_field: Name


class GdprSpec(Spec):
    """What becomes of the rows about a person who asks for export or erasure."""

    enabled: StrictBool
    user_id_field: StrictStr | None = None
    """The path to the person, `column` or `column.column`; found when left out."""
    export_fields: tuple[Name, ...] = ()
    on_erase: Literal["delete", "anonymise", "retain"] = "delete"
    reason: StrictStr | None = None
    """Why rows are retained: the law that demands it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.on_erase == "retain") != bool(self.reason):
            raise ValueError("`on_erase: retain`, and nothing else, needs a `reason`")
        return self


class RetentionSpec(Spec):
    """How long rows are kept, and what becomes of them then."""

    enabled: StrictBool
    keep_days: Annotated[StrictInt, Field(gt=0)]
    since: Name = "created_at"
    """The column from which the days count."""
    then: Literal["delete", "anonymise"] = "delete"


class AuditSpec(Spec):
    """Whether it is recorded who changed, and who read, the rows."""

    enabled: StrictBool
    fields: tuple[Name, ...] = ()
    """The columns whose changes are recorded; all when left out."""
    reads: StrictBool = False
