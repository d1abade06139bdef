"""What model files say about how long rows are kept, over their tables."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Date, Table, and_, false, func, or_

from timber.common.modeling.catalogue import Catalogue
from timber.common.modeling.history import HistoryOfRows, history_of
from timber.common.modeling.retention_checks import anonymised_names
from timber.common.modeling.spec import ModelSpec
from timber.common.modeling.stored_types import UtcDateTime

_INDEX: str = "_index"
"""What the name of the column ends with by which a sealed column is found."""


@dataclass(frozen=True, kw_only=True)
class RetentionRule:
    """How long the rows of one table are kept."""

    table: Table
    since: Column[Any]
    age: timedelta
    outcome: Literal["delete", "anonymise"]
    legal_hold: Column[Any] | None
    emptied: Mapping[str, str | None]
    """The columns that are emptied when a row is anonymised, and what they are then."""
    history: HistoryOfRows | None = None
    """What goes with a row if it is a session."""

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def key(self) -> tuple[Column[Any], ...]:
        return tuple(self.table.primary_key.columns)

    def cutoff(self, now: datetime) -> datetime | date:
        """Return the moment before which rows are old enough."""
        moment = now - self.age
        return moment.date() if isinstance(self.since.type, Date) else moment

    def due(self, cutoff: datetime | date) -> ColumnElement[bool]:
        """Return the condition to be old enough, and not done yet."""
        old = self.since < cutoff
        if self.outcome == "delete":
            return old
        left = (
            self.table.c[name].is_not(None)
            if value is None
            else func.coalesce(self.table.c[name], "") != value
            for name, value in self.emptied.items()
        )
        return and_(old, or_(*left))

    @property
    def held(self) -> ColumnElement[bool]:
        """The condition to be under a legal hold of its own."""
        return false() if self.legal_hold is None else self.legal_hold.is_(True)

    @property
    def values(self) -> dict[str, Any]:
        """What an anonymised row gets; when it was changed stays as it was."""
        kept = {
            one.name: one
            for one in self.table.columns
            if one.onupdate is not None and isinstance(one.type, UtcDateTime)
        }
        return {**kept, **self.emptied}

    def as_facts(self) -> dict[str, Any]:
        """Return the rule as a log tells of it."""
        said: dict[str, Any] = {
            "hours": int(self.age.total_seconds()) // 3600,
            "outcome": self.outcome,
            "since": self.since.name,
        }
        if self.emptied:
            said["fields"] = sorted(self.emptied)
        if self.legal_hold is not None:
            said["legal_hold"] = self.legal_hold.name
        return said


def retention_rules(
    classes: Iterable[type[Any]], catalogue: Catalogue
) -> Mapping[str, RetentionRule]:
    """Return the rules that are in force, by table."""
    return {one.name: one for one in _rules(classes, catalogue)}


def _rules(classes: Iterable[type[Any]], catalogue: Catalogue) -> Iterator[RetentionRule]:
    for model in classes:
        spec: ModelSpec = model.__timber__
        said = spec.retention
        if said is None or not said.enabled:
            continue
        table: Table = model.__table__
        yield RetentionRule(
            table=table,
            since=table.c[said.since],
            age=said.age,
            outcome=said.action,
            legal_hold=table.c[said.legal_hold] if said.legal_hold else None,
            emptied=_emptied(table, spec, catalogue) if said.action == "anonymise" else {},
            history=history_of(model),
        )


def _emptied(table: Table, spec: ModelSpec, catalogue: Catalogue) -> dict[str, str | None]:
    names = anonymised_names(catalogue.tables[table.name], spec)
    sealed = spec.encryption.names if spec.encryption and spec.encryption.enabled else ()
    indexes = (f"{one}{_INDEX}" for one in names if one in sealed)
    both = (*names, *(one for one in indexes if one in table.c))
    return {name: None if table.c[name].nullable else "" for name in both}
