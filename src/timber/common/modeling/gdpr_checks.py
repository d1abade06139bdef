"""Checks of what models say about persons: every row that tells of one leads to one."""

from collections.abc import Iterator

from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.ownership import declared_way, ownership_of
from timber.common.modeling.spec import GdprSpec, ModelSpec
from timber.common.modeling.subjects import people, subject_path


def gdpr_problems(catalogue: Catalogue) -> Iterator[str]:
    """Check the flag `gdpr` of every model, and that every personal column is somebody's."""
    wrong = False
    for table in catalogue.entries:
        model = table.model
        if model is None or model.gdpr is None:
            continue
        for problem in _model_problems(table, model, model.gdpr, catalogue):
            wrong = True
            yield problem
    yield from _people_problems(catalogue)
    if not wrong:
        yield from _personal_problems(catalogue)


def _model_problems(
    table: Table, model: ModelSpec, gdpr: GdprSpec, catalogue: Catalogue
) -> Iterator[str]:
    if gdpr.enabled or gdpr.user_id_field:
        try:
            if gdpr.enabled:
                declared_way(table, catalogue)
            else:
                subject_path(table, gdpr.user_id_field, catalogue)
        except ValueError as error:
            yield table.problem("gdpr", "user_id_field", message=str(error))
    if gdpr.enabled:
        yield from _action_problems(table, model, gdpr)


def _action_problems(table: Table, model: ModelSpec, gdpr: GdprSpec) -> Iterator[str]:
    sealed = model.encryption.names if model.encryption and model.encryption.enabled else ()
    if gdpr.on_erase == "retain" and sealed:
        message = (
            f"{', '.join(sealed)} could not be read any more, for the keys of whoever is erased "
            "are destroyed: keep what the law demands in a field that is not encrypted, "
            "or say `on_erase: anonymise`"
        )
        yield table.problem("gdpr", "on_erase", message=message)
    if gdpr.on_erase != "anonymise":
        return
    columns = table.columns
    for name in sealed:
        if name in columns and not columns[name].may_be_null:
            message = (
                f"{name!r} is encrypted and must not be null, so nothing neutral can take its "
                "place: let it be null, or say `on_erase: delete`"
            )
            yield table.problem("gdpr", "on_erase", message=message)
    if not (sealed or gdpr.export_fields or any(one.personal for one in columns.values())):
        message = "nothing says what is anonymised: name `export_fields`, or `personal` columns"
        yield table.problem("gdpr", "on_erase", message=message)


def _people_problems(catalogue: Catalogue) -> Iterator[str]:
    asked = any(
        table.model and table.model.gdpr and table.model.gdpr.enabled
        for table in catalogue.entries
    )
    for name in sorted(people(catalogue)) if asked else ():
        table = catalogue.tables.get(name)
        if table is not None and len(table.primary_key) > 1:
            message = f"a person is known by one column, and the key of {name!r} has several"
            yield table.problem("columns", message=message, of_key=True)


def _personal_problems(catalogue: Catalogue) -> Iterator[str]:
    owned = ownership_of(catalogue)
    for table in catalogue.entries:
        if table.name in owned:
            continue
        for position, column in enumerate(table.spec.columns):
            if column.personal:
                message = _no_way(table, column.name)
                yield table.problem("columns", position, "personal", message=message)
        for position, name in enumerate(table.mixin_names):
            mixin = table.mixins.get(name)
            for column in mixin.spec.columns if mixin else ():
                if column.personal:
                    message = _no_way(table, column.name)
                    yield table.problem("mixins", position, message=message)


def _no_way(table: Table, column: str) -> str:
    cure = (
        "say `gdpr: {enabled: true}`, with the `user_id_field` that leads to the person"
        if table.model
        else "let a foreign key that must have a value lead to the person"
    )
    return (
        f"{column!r} is personal, and nothing says about whom a row of {table.name!r} is: {cure}"
    )
