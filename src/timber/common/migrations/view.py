"""The database as it is compared: in new names, and with the values of its `Enum` columns."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from sqlalchemy import Dialect, Enum, Inspector, TextClause, text

from timber.common.database.enum_values import allowed_by, check_name, condition_for
from timber.common.migrations.renames import Renames
from timber.common.migrations.values import escaped

Reflected: TypeAlias = dict[tuple[str | None, str], Any]

_FACETS: Final = (
    "columns",
    "pk_constraint",
    "foreign_keys",
    "indexes",
    "unique_constraints",
    "check_constraints",
    "table_comment",
    "table_options",
)
_WORD: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|(::\s*)?\b[A-Za-z_]\w*\b(?!\s*\()""")


def show_renamed(inspector: Inspector, renames: Renames) -> Inspector:
    """Make the inspector show the database with the new names; it must be a fresh one.

    Alembic reads everything it compares through the inspector's cache,
    so nothing has to change in the database, and nothing is locked, while a step is planned.
    """
    for facet in _FACETS:
        reflect: Callable[[], Reflected] = getattr(inspector, f"get_multi_{facet}")
        try:
            found = reflect()
        except NotImplementedError:
            inspector.info_cache[f"alembic_{facet}"] = NotImplementedError
            continue
        inspector.info_cache[f"alembic_{facet}"] = {
            (schema, renames.table(table)): _renamed(facet, renames.table(table), entry, renames)
            for (schema, table), entry in found.items()
        }
    _show_enums(inspector, renames)
    names = [renames.table(name) for name in inspector.get_table_names()]
    vars(inspector)["get_table_names"] = lambda **_schema: names
    return inspector


def _show_enums(inspector: Inspector, renames: Renames) -> None:
    """Show a text as an `Enum` where a check says which values it may have."""
    quote = inspector.dialect.identifier_preparer.quote
    all_checks: Reflected = inspector.info_cache["alembic_check_constraints"]
    for (schema, table), columns in inspector.info_cache["alembic_columns"].items():
        checks = {one["name"]: one for one in all_checks.get((schema, table), ())}
        for column in columns:
            check = checks.get(_enum_check(table, column["name"], renames, inspector.dialect))
            length = getattr(column["type"], "length", None)
            values = allowed_by(str(text(check["sqltext"]))) if check and length else ()
            if check and values:
                longest = max(length or 0, *map(len, values))
                column["type"] = Enum(*values, native_enum=False, length=longest)
                # PostgreSQL's own words for it are no SQL for another database.
                check["sqltext"] = escaped(condition_for(quote(column["name"]), values))


def _enum_check(table: str, column: str, renames: Renames, dialect: Dialect) -> str:
    return check_name(renames.old_table(table), renames.old_column(table, column), dialect)


def _renamed(facet: str, table: str, entry: Any, renames: Renames) -> Any:
    """Return what was reflected of one table, in new names."""
    if facet == "pk_constraint":
        return entry and _constrained(table, entry, renames, "constrained_columns")
    rename = _RENAMED.get(facet)
    return [rename(table, one, renames) for one in entry] if rename else entry


def _unique(table: str, entry: Any, renames: Renames) -> Any:
    return _constrained(table, entry, renames, "column_names")


def _check(table: str, check: Any, renames: Renames) -> Any:
    return {**check, "sqltext": escaped(_condition(table, check["sqltext"], renames))}


def _condition(table: str, condition: str, renames: Renames) -> str:
    """Return a condition in new names; a function or a type may be called as a column was."""
    names = renames.columns.get(table, {})

    def renamed(match: re.Match[str]) -> str:
        word = match[0]
        if word.startswith("'") or match[1]:
            return word
        if word.startswith('"'):
            name = word[1:-1].replace('""', '"')
            return '"' + names.get(name, name).replace('"', '""') + '"'
        return names.get(word, word)

    return _WORD.sub(renamed, condition) if names else condition


def _index(table: str, index: Any, renames: Renames) -> Any:
    options = {
        key: _where(table, value, renames) if key.endswith("_where") else value
        for key, value in index.get("dialect_options", {}).items()
    }
    renamed = _constrained(table, index, renames, "column_names")
    return {**renamed, "dialect_options": options} if options else renamed


def _where(table: str, condition: Any, renames: Renames) -> Any:
    if isinstance(condition, TextClause):
        return text(_condition(table, condition.text, renames))
    if isinstance(condition, str):
        return escaped(_condition(table, condition, renames))
    return condition


def _column(table: str, column: dict[str, Any], renames: Renames) -> dict[str, Any]:
    name = renames.column(table, column["name"])
    if name == column["name"]:
        return column
    renamed = {**column, "name": name}
    if str(column.get("default")).startswith("nextval("):
        # The sequence of a serial column is no default that a model could state.
        renamed["default"] = None
    return renamed


def _constrained(table: str, entry: Any, renames: Renames, key: str) -> Any:
    names = [name and renames.column(table, name) for name in entry[key]]
    return {**entry, key: names}


def _foreign_key(table: str, entry: Any, renames: Renames) -> Any:
    target = renames.table(entry["referred_table"])
    return {
        **_constrained(table, entry, renames, "constrained_columns"),
        "referred_table": target,
        "referred_columns": [renames.column(target, name) for name in entry["referred_columns"]],
    }


_RENAMED: Final[dict[str, Callable[[str, Any, Renames], Any]]] = {
    "columns": _column,
    "foreign_keys": _foreign_key,
    "indexes": _index,
    "unique_constraints": _unique,
    "check_constraints": _check,
}
"""By the facet: what shows one entry of it in new names."""
