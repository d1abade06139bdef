"""What a model asks Timber to do for its rows: its state machine and its flags."""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from timber.common.modeling.notation import GuardText, Name, OneOrMoreNames, Spec


class GuardSpec(Spec):
    """What must hold for a row that comes to a state."""

    to: StrictStr
    after: tuple[StrictStr, ...] = ()
    """From which states it is asked; from all when left out."""
    condition: GuardText
    """What must hold, such as `ticker is not null and data.score >= 0.5`."""


class ExpirySpec(Spec):
    """When a row that is left alone comes to an end."""

    after_seconds: Annotated[StrictInt, Field(gt=0)]
    since: Name = "updated_at"
    """The column from which the seconds count."""
    to: StrictStr
    """The state that it comes to."""


class StatesSpec(Spec):
    """The state machine of a column."""

    column: Name = "state"
    initial: StrictStr
    transitions: dict[StrictStr, tuple[StrictStr, ...]]
    final: tuple[StrictStr, ...] = ()
    guards: tuple[GuardSpec, ...] = ()
    expiry: ExpirySpec | None = None

    def sources(self, target: str) -> tuple[str, ...]:
        """Return the states from which a transition leads to `target`."""
        return tuple(state for state, targets in self.transitions.items() if target in targets)

    def conditions(self, source: str, target: str) -> tuple[str, ...]:
        """Return the conditions of the guards that stand between two states."""
        return tuple(
            guard.condition
            for guard in self.guards
            if guard.to == target and (not guard.after or source in guard.after)
        )

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


Normaliser: TypeAlias = Literal["exact", "strip", "casefold"]
"""Which texts count as equal: only the same; without the space around them; in either case."""


class EncryptedFieldSpec(Spec):
    """One field that is encrypted."""

    name: Name
    searchable: StrictBool = False
    """Whether rows are found by its value, which then shows which rows have the same."""
    normalise: Normaliser = "exact"
    """Which values count as equal when they are looked for, or must be unique."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.normalise != "exact" and not self.searchable:
            raise ValueError("`normalise` belongs to a field that is `searchable`")
        return self


def _named(written: Any) -> Any:
    return {"name": written} if isinstance(written, str) else written


EncryptedField = Annotated[
    EncryptedFieldSpec, BeforeValidator(_named, json_schema_input_type=Name | EncryptedFieldSpec)
]
"""The name of a field, or a mapping that says more of it."""


class EncryptionSpec(Spec):
    """Which fields are encrypted before they reach the database."""

    enabled: StrictBool
    fields: tuple[EncryptedField, ...] = ()
    bound_to: Name | None = None
    """The column by which a value is bound to its row; its primary key when left out."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(field.name for field in self.fields)


class CachingSpec(Spec):
    """Whether rows are cached, and for how long."""

    enabled: StrictBool
    ttl_seconds: Annotated[StrictInt, Field(gt=0)] = 3600
    """How long a change that is made past Timber may stay unseen; its own are seen at once."""


class VectorSearchSpec(Spec):
    """What of a row is found by its meaning and by its words."""

    enabled: StrictBool
    content_field: OneOrMoreNames
    """The columns whose texts are found, one or more; several are read one below the other."""
    source_type: Annotated[StrictStr, Field(min_length=1, max_length=100)] | None = None
    """What the rows are called in searches; their table's name when left out."""
    metadata_fields: tuple[Name, ...] = ()
    """The columns that searches can filter by, and return."""
    owner_field: Name | None = None
    """The column that says whose the row is."""
    importance_field: Name | None = None
    """The column with a number that may lift a row in searches."""
    occurred_at_field: Name | None = None
    """The column with the moment by which the recent may come first."""
    chunk_tokens: Annotated[StrictInt, Field(ge=16)] | None = None
    """How long a piece of a text may be; as long as the embedder reads when left out."""
    embeds_encrypted: StrictBool = False
    """Whether encrypted texts may be found: much of a text can be guessed from its vectors."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Every column of the row that is read, each once."""
        single = (self.owner_field, self.importance_field, self.occurred_at_field)
        named = (*self.content_field, *self.metadata_fields, *(one for one in single if one))
        return tuple(dict.fromkeys(named))


class GdprSpec(Spec):
    """What becomes of the rows about a person who asks for export or erasure."""

    enabled: StrictBool
    subject: StrictBool = False
    """Whether each row is a person; those of `users` are in any case."""
    user_id_field: StrictStr | None = None
    """The path to the person, `column` or `column.column`; found when left out."""
    export_fields: tuple[Name, ...] = ()
    """What of a row is exported beside its key and what is `personal`; all when left out."""
    on_erase: Literal["delete", "anonymise", "retain"] = "delete"
    reason: StrictStr | None = None
    """Why rows are retained: the law that demands it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.on_erase == "retain") != bool(self.reason):
            raise ValueError("`on_erase: retain`, and nothing else, needs a `reason`")
        if self.subject and self.user_id_field is not None:
            raise ValueError("a row that is a person (`subject: true`) needs no `user_id_field`")
        return self


class RetentionSpec(Spec):
    """How long rows are kept, and what becomes of them then."""

    enabled: StrictBool
    after: Annotated[StrictStr, Field(pattern=r"^[1-9]\d{0,5} (hour|day|week|year)s?$")]
    """How long, such as `90 days` or `10 years`, of 365 days each."""
    since: Name = "created_at"
    """The column from which the time counts."""
    action: Literal["delete", "anonymise"] = "delete"
    """What becomes of them."""
    fields: tuple[Name, ...] = ()
    """What is anonymised; when left out, what is encrypted, exported or `sensitive`."""
    legal_hold: Name | None = None
    """The column that is true for a row that must stay."""

    @property
    def age(self) -> timedelta:
        """How long rows are kept."""
        number, unit = self.after.split()
        return int(number) * _UNITS[unit.rstrip("s")]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fields and self.action != "anonymise":
            raise ValueError("`fields` belong to `action: anonymise`")
        return self


_UNITS: Final = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "year": timedelta(days=365),
}


class AuditSpec(Spec):
    """Whether it is recorded who changed, and who read, the rows."""

    enabled: StrictBool
    fields: tuple[Name, ...] = ()
    """The columns whose changes are recorded; all when left out."""
    reads: StrictBool = False
