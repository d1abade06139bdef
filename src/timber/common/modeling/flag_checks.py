"""Checks of what a model asks Timber to do for its rows: a flag is kept, or refused."""

from collections.abc import Iterator, Set as AbstractSet
from typing import Final

from timber.common.documents import Path, closest
from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.encryption_checks import encryption_problems
from timber.common.modeling.spec import ModelSpec
from timber.common.modeling.state_checks import state_problems
from timber.common.modeling.subjects import subject_path
from timber.common.modeling.vector_checks import vector_problems

FLAGS: Final = ("encryption", "caching", "vector_search", "gdpr", "retention", "audit")
"""The flags of a model that need a backend."""


def flag_problems(table: Table, catalogue: Catalogue, backends: AbstractSet[str]) -> Iterator[str]:
    """Check states and flags of a model; `backends` names the flags that work here."""
    if table.model is None:
        return
    yield from state_problems(table)
    yield from _backend_problems(table, table.model, backends)
    yield from _field_problems(table, table.model)
    yield from encryption_problems(table, catalogue)
    yield from _kind_problems(table, table.model)
    yield from _subject_problems(table, table.model, catalogue)
    yield from vector_problems(table)


def _backend_problems(table: Table, model: ModelSpec, backends: AbstractSet[str]) -> Iterator[str]:
    for flag in FLAGS:
        wanted = getattr(model, flag)
        if wanted is not None and wanted.enabled and flag not in backends:
            message = (
                f"{model.name} enables {flag!r}, which this version of Timber cannot do: "
                "set `enabled: false`"
            )
            yield table.problem(flag, message=message, of_key=True)


def _field_problems(table: Table, model: ModelSpec) -> Iterator[str]:
    for path, name in _named_fields(model):
        if name not in table.columns:
            message = f"{table.name!r} has no column {name!r}{closest(name, table.columns)}"
            yield table.problem(*path, message=message)


def _named_fields(model: ModelSpec) -> Iterator[tuple[Path, str]]:
    lists: list[tuple[str, str, tuple[str, ...]]] = []
    if model.encryption:
        lists.append(("encryption", "fields", model.encryption.names))
    if model.gdpr:
        lists.append(("gdpr", "export_fields", model.gdpr.export_fields))
    if model.audit:
        lists.append(("audit", "fields", model.audit.fields))
    for flag, key, names in lists:
        yield from (((flag, key, place), name) for place, name in enumerate(names))
    if model.retention:
        yield ("retention", "since"), model.retention.since


def _kind_problems(table: Table, model: ModelSpec) -> Iterator[str]:
    if model.retention:
        name = model.retention.since
        if table.families.get(name, "Date") not in {"Date", "DateTime"}:
            message = f"{name!r} is of type {table.columns[name].type}, from which no days count"
            yield table.problem("retention", "since", message=message)


def _subject_problems(table: Table, model: ModelSpec, catalogue: Catalogue) -> Iterator[str]:
    gdpr = model.gdpr
    if gdpr is None or not (gdpr.enabled or gdpr.user_id_field):
        return
    try:
        subject_path(table, gdpr.user_id_field, catalogue)
    except ValueError as error:
        yield table.problem("gdpr", "user_id_field", message=str(error))
