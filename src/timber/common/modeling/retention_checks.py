"""Checks of what a model says about how long its rows are kept."""

from collections.abc import Iterator
from typing import Final

from timber.common.modeling.catalogue import Table
from timber.common.modeling.spec import ModelSpec

_TEXTS: Final = frozenset({"String", "Text"})


def anonymised_names(table: Table, model: ModelSpec) -> tuple[str, ...]:
    """Return the columns that are emptied when a row is anonymised."""
    if model.retention and model.retention.fields:
        return model.retention.fields
    found = [one.name for one in table.own_columns if one.sensitive]
    found += model.encryption.names if model.encryption and model.encryption.enabled else ()
    found += model.gdpr.export_fields if model.gdpr else ()
    keys = {name for key in table.foreign_keys for name in key.columns}
    return tuple(one for one in dict.fromkeys(found) if one not in {*table.primary_key, *keys})


def retention_problems(table: Table) -> Iterator[str]:
    """Check types and columns; whether the columns are there is asked elsewhere."""
    model = table.model
    if model is None or model.retention is None:
        return
    retention = model.retention
    if table.families.get(retention.since, "Date") not in {"Date", "DateTime"}:
        kind = table.columns[retention.since].type
        message = f"{retention.since!r} is of type {kind}, from which no days count"
        yield table.problem("retention", "since", message=message)
    hold = retention.legal_hold
    if hold and table.families.get(hold, "Boolean") != "Boolean":
        message = f"{hold!r} is of type {table.columns[hold].type}, not Boolean"
        yield table.problem("retention", "legal_hold", message=message)
    if retention.enabled and retention.action == "anonymise":
        yield from _anonymise_problems(table, model)


def _anonymise_problems(table: Table, model: ModelSpec) -> Iterator[str]:
    names = anonymised_names(table, model)
    if not names:
        message = "`fields` names what is anonymised: nothing is encrypted, exported or sensitive"
        yield table.problem("retention", message=message, of_key=True)
    sealed = model.encryption.names if model.encryption and model.encryption.enabled else ()
    for name in names:
        column = table.columns.get(name)
        if column is None or column.may_be_null:
            continue
        is_text = column.column_type.name in _TEXTS and name not in sealed
        if column.primary_key or column.unique or not is_text:
            message = f"{name!r} cannot be anonymised: let it be null, or name other `fields`"
            yield table.problem("retention", message=message, of_key=True)
