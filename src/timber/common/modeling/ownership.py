"""Whose the rows of every table are, and what becomes of them when that person is erased.

A row is a person's if the path of its model ends at the person. Of tables that say nothing, those
rows are a person's which could not be without another row of his: a foreign key that must have a
value, or one whose row goes with the other (`on_delete: cascade`), leads there. It may lead to a
row of such a table again, and so on, also in circles.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from typing_extensions import override

from timber.common.modeling.catalogue import Catalogue, ForeignKey, Table
from timber.common.modeling.subjects import PEOPLE, people, subject_path

OnErase = Literal["delete", "anonymise", "retain"]


@dataclass(frozen=True)
class Step:
    """One step from a row to another: the columns here, and those there that they name."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]
    is_key: bool = True
    """Whether a foreign key says so; else a column holds the key of a person by habit."""


@dataclass(frozen=True)
class Way:
    """How a row leads to the person whom it is about; without steps, it is that person."""

    people: str
    """The table of persons at its end."""
    steps: tuple[Step, ...] = ()

    @override
    def __str__(self) -> str:
        """Return it as a model file has it."""
        columns = ("+".join(step.columns) for step in self.steps)
        return ".".join(columns) or "the person"


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """Whose the rows of one table are."""

    table: str
    ways: tuple[Way, ...]
    """One is enough for a row to be a person's; of a table with `parts` the shortest by each."""
    parts: tuple[Step, ...] = ()
    """Of a table that says nothing, the steps to rows without which its own cannot be."""
    on_erase: OnErase = "delete"
    reason: str | None = None
    """Why rows are retained."""
    exported: tuple[str, ...] = ()
    """The columns that an export has; all when empty."""
    personal: tuple[str, ...] = ()
    """The columns that are emptied when rows are anonymised."""
    sealed: tuple[str, ...] = ()
    """The columns that are encrypted."""

    def ways_to(self, people: str) -> tuple[Way, ...]:
        """Return the ways that end at persons of that table."""
        return tuple(way for way in self.ways if way.people == people)


def ownership_of(catalogue: Catalogue) -> Mapping[str, Ownership]:
    """Return whose rows are, by table; without the tables whose rows are about nobody.

    Raises:
        ValueError: a path leads nowhere; `checks` tells where.

    """
    persons = people(catalogue) & catalogue.tables.keys()
    said: dict[str, tuple[Way, ...]] = {name: (Way(name),) for name in persons}
    for name, table in catalogue.tables.items():
        if name not in persons and table.model and table.model.gdpr and table.model.gdpr.enabled:
            said[name] = (declared_way(table, catalogue),)
    parts = {
        name: tuple(_parts(table)) for name, table in catalogue.tables.items() if name not in said
    }
    shortest = _shortest(said, parts)
    found = {name: _owned(catalogue.tables[name], ways) for name, ways in said.items()}
    for name, steps in parts.items():
        if name in shortest:
            some = tuple(step for step in steps if step.table in shortest)
            ways = tuple(
                Way(way.people, (step, *way.steps))
                for step in some
                for way in shortest[step.table].values()
            )
            found[name] = _owned(catalogue.tables[name], ways, some)
    return found


def declared_way(table: Table, catalogue: Catalogue) -> Way:
    """Return the way of a model with the flag `gdpr`.

    Raises:
        ValueError: it leads nowhere, or not to a person.

    """
    gdpr = table.model.gdpr if table.model else None
    path = subject_path(table, gdpr.user_id_field if gdpr else None, catalogue)
    steps: list[Step] = []
    persons = people(catalogue)
    here = table
    for position, name in enumerate(path):
        column = here.columns[name]
        target, _, key = (column.foreign_key or "").partition(".")
        if target in catalogue.tables:
            steps.append(Step((name,), target, (key,)))
            here = catalogue.tables[target]
            continue
        if position < len(path) - 1 or PEOPLE not in catalogue.tables:
            raise ValueError(f"{here.name}.{name} is no foreign key, so no path goes on from it")
        steps.append(_by_habit(here, name, catalogue.tables[PEOPLE]))
        here = catalogue.tables[PEOPLE]
    if here.name not in persons:
        raise ValueError(
            f"the path ends at {here.name!r}, whose rows are no persons: let it go on to one, or "
            f"say `gdpr: {{enabled: true, subject: true}}` there"
        )
    if steps and steps[-1].targets != here.primary_key:
        named = ", ".join(steps[-1].targets)
        raise ValueError(
            f"the path ends at {here.name}.{named}, and a person is known by its primary key: "
            "let the foreign key point to that"
        )
    return Way(here.name, tuple(steps))


def _by_habit(table: Table, name: str, persons: Table) -> Step:
    column, key = table.columns[name], persons.primary_key
    kinds = {column.column_type.family, *(persons.columns[one].column_type.family for one in key)}
    if len(kinds) > 1:
        raise ValueError(
            f"{table.name}.{name} is of type {column.type}, and the key of {persons.name!r} is not"
        )
    return Step((name,), persons.name, key, is_key=False)


def _shortest(
    said: Mapping[str, tuple[Way, ...]], parts: Mapping[str, tuple[Step, ...]]
) -> Mapping[str, Mapping[str, Way]]:
    """Return the shortest way from each table to persons of each kind that it leads to."""
    found = {name: {way.people: way for way in ways} for name, ways in said.items()}
    while True:
        new = [
            (name, Way(way.people, (step, *way.steps)))
            for name, steps in parts.items()
            for step in steps
            for way in found.get(step.table, {}).values()
            if way.people not in found.get(name, {})
        ]
        if not new:
            return found
        for name, way in new:
            found.setdefault(name, {}).setdefault(way.people, way)


def _parts(table: Table) -> Iterator[Step]:
    for key in table.foreign_keys:
        if _is_part(table, key):
            yield Step(key.columns, key.table, key.targets)


def _is_part(table: Table, key: ForeignKey) -> bool:
    columns = [table.columns[name] for name in key.columns if name in table.columns]
    return key.on_delete == "cascade" or not any(column.may_be_null for column in columns)


def _owned(table: Table, ways: tuple[Way, ...], parts: tuple[Step, ...] = ()) -> Ownership:
    model = table.model
    gdpr = model.gdpr if model and model.gdpr and model.gdpr.enabled else None
    encryption = model.encryption if model and model.encryption else None
    sealed = encryption.names if encryption and encryption.enabled else ()
    said = tuple(name for name, column in table.columns.items() if column.personal)
    if gdpr is None:
        return Ownership(
            table=table.name, ways=ways, parts=parts, personal=(*said, *sealed), sealed=sealed
        )
    exported: tuple[str, ...] = ()
    if gdpr.export_fields:
        exported = tuple(dict.fromkeys((*table.primary_key, *gdpr.export_fields, *said)))
    kept = {*table.primary_key}
    personal = dict.fromkeys((*said, *gdpr.export_fields, *sealed))
    return Ownership(
        table=table.name,
        ways=ways,
        on_erase=gdpr.on_erase,
        reason=gdpr.reason,
        exported=exported,
        personal=tuple(name for name in personal if name not in kept),
        sealed=sealed,
    )
