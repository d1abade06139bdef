"""Random models A, what they may become, B, and rows of A: for the fuzz of migrations."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

VALUES: dict[str, list[Any]] = {
    "String(8)": ["", "7", "abc", "-12", "é'%:\"", "12345678"],
    "String(40)": ["", "7", "a:b'c%d\\", "2147483648", "x" * 40, "12"],
    "Text": ["", "41", "a\nb", "ü" * 90, "-5", "007"],
    "Integer": [0, 1, -1, 7, 2**31 - 1, -(2**31), 40_000],
    "BigInteger": [0, 1, -9, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)],
    "Float": [0.0, 1.0, 0.1, -2.25, 1e10, 0.1 + 0.2, 1.23456789012345678, 3e9],
    "Numeric(10, 2)": [Decimal("0.00"), Decimal("1.50"), Decimal("-7.00"), Decimal("99999999.99")],
    "Numeric(12, 4)": [Decimal("0.0001"), Decimal("2.5000"), Decimal("-12345678.9012")],
    "Boolean": [True, False],
    "DateTime": [
        datetime(2020, 1, 31, tzinfo=UTC),
        datetime(2021, 5, 6, 7, 8, 9, 12, tzinfo=UTC),
    ],
    "Date": [date(2020, 1, 31), date(1999, 12, 31)],
    "JSON": [{}, {"a": [1, None]}, [], "text", 7, {"k": "ä'%:"}],
    "Enum(7, abc, -12)": ["7", "abc", "-12"],
    "Enum(abc, true)": ["abc", "true"],
    """Enum(abc, 7, "it's", '50%:x', 'a\\b', '2020-01-31')""": [
        *("abc", "7", "it's", "50%:x", "a\\b", "2020-01-31"),
    ],
    "Enum(longer than before, abc)": ["longer than before", "abc"],
}
DEFAULTS: dict[str, Any] = {
    "String(8)": "it's",
    "String(40)": "a:b %s",
    "Text": "none\\",
    "Integer": -3,
    "BigInteger": 2**40,
    "Float": 0.5,
    "Numeric(10, 2)": 1.25,
    "Numeric(12, 4)": 2,
    "Boolean": False,
    "DateTime": "now",
    "JSON": {"of": ["old"]},
    "Enum(7, abc, -12)": "7",
    "Enum(abc, true)": "true",
    "Enum(longer than before, abc)": "abc",
}
TYPES = sorted(VALUES)


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    was: str | None = None
    nullable: bool = True
    default: Any = None
    index: bool = False
    unique: bool = False
    foreign_key: str | None = None
    check: str | None = None
    primary_key: bool = False

    def said(self) -> dict[str, Any]:
        said = {key: value for key, value in vars(self).items() if value is not None}
        return {**said, "nullable": self.nullable and not self.primary_key}


ID = Column("id", "Integer", primary_key=True)


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    was: str | None = None
    key: Column = ID
    sealed: frozenset[str] = frozenset()
    """The names of its columns that are encrypted."""

    def said(self) -> dict[str, Any]:
        # What is sealed is bound to a key that is not counted by the database.
        counted = self.sealed and "Integer" in self.key.type
        key = replace(self.key, default=0) if counted else self.key
        columns = [column.said() for column in (key, *self.columns)]
        model: dict[str, Any] = {
            "name": self.name.title().replace("_", ""),
            "table_name": self.name,
        }
        if self.sealed:
            fields = [
                {"name": one.name, "searchable": one.index or one.unique}
                for one in self.columns
                if one.name in self.sealed
            ]
            model["encryption"] = {"enabled": True, "fields": fields}
        return {**model, "columns": columns, **({"was": self.was} if self.was else {})}


@dataclass(frozen=True)
class Pair:
    before: tuple[Table, ...]
    after: tuple[Table, ...]
    rows: dict[str, list[dict[str, Any]]]

    @property
    def has_other_keys(self) -> bool:
        """Whether rows would be known by something else, for which there is no step."""
        kept = [table for table in self.after if table.name != "t_new"]
        return any(table.key.type not in WHOLE or _has_second_key(table) for table in kept)


def _has_second_key(table: Table) -> bool:
    return any(one.primary_key for one in table.columns)


def _target(column: Column) -> str:
    return str(column.foreign_key).partition(".")[0]


def written(tables: tuple[Table, ...]) -> str:
    """Return the model file; JSON is YAML."""
    return json.dumps({"models": [table.said() for table in tables]}, ensure_ascii=False)


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    names = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True))
    before = tuple(draw(_table(f"t_{name}", [f"t_{one}" for one in names])) for name in names)
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in before:
        rows[table.name] = draw(_rows(table))
    after = [table for table in before if draw(st.integers(0, 5))]
    kept = {table.name for table in after}
    for table in before:
        draw(_links(table, rows, kept))
    changed = [draw(_changed(table, kept)) for table in after]
    pointed = {_target(one) for table in changed for one in table.columns if one.foreign_key}
    changed = [draw(_with_another_key(table, pointed)) for table in changed]
    if draw(st.booleans()):
        others = [one.was or one.name for one in changed if not _has_second_key(one)]
        changed.append(draw(_table("t_new", ["t_new", *others])))
    before = tuple(draw(_sealed(table, None)) for table in before)
    olds = {table.name: table for table in before}
    changed = [draw(_sealed(table, olds.get(table.was or table.name))) for table in changed]
    heirs = {table.was or table.name: table for table in changed}
    return Pair(before, tuple(_pointing(table, heirs) for table in changed), rows)


@st.composite
def _sealed(draw: st.DrawFn, table: Table, old: Table | None) -> Table:
    """Encrypt some columns that the database needs not look into.

    One that is encrypted in `old`, too, keeps its type: there is no step for another.
    """
    fixed = {one.name: one for one in old.columns if one.name in old.sealed} if old else {}
    columns = tuple(
        replace(
            one,
            type=was.type,
            nullable=was.nullable,
            default=was.default,
            index=was.type != "JSON" and one.index,
        )
        if (was := fixed.get(one.was or one.name)) and was.type != one.type
        else one
        for one in table.columns
    )
    table = replace(table, columns=columns)
    if draw(st.integers(0, 2)) == 0:
        return table
    names = frozenset(
        one.name
        for one in columns
        if not (one.foreign_key or one.check or one.primary_key or one.name.startswith("link"))
        and draw(st.booleans())
    )
    return replace(table, sealed=names)


def _pointing(table: Table, heirs: dict[str, Table]) -> Table:
    columns = []
    for column in table.columns:
        if column.foreign_key:
            heir = heirs[_target(column)]
            pointer = f"{heir.name}.{heir.key.name}"
            columns.append(replace(column, foreign_key=pointer, type=heir.key.type))
        else:
            columns.append(column)
    return replace(table, columns=tuple(columns))


@st.composite
def _links(
    draw: st.DrawFn, table: Table, rows: dict[str, list[dict[str, Any]]], kept: set[str]
) -> None:
    """Let rows point to rows of tables that stay, which a table that comes back would lack."""
    for column in table.columns:
        target = _target(column)
        if target in kept and rows[target]:
            for row in rows[table.name]:
                row[column.name] = draw(st.sampled_from([None, *(r["id"] for r in rows[target])]))


@st.composite
def _with_another_key(draw: st.DrawFn, table: Table, pointed: set[str]) -> Table:
    """Rename or widen the key; now and then make it one that no step leads to."""
    key = table.key
    if draw(st.integers(0, 4)) == 0:
        key = replace(key, name="id_renamed", was="id")
    match draw(st.integers(0, 19)):
        case 0:
            return replace(table, key=replace(key, type="String(40)"))
        case 1:
            second = Column("second", "Integer", default=1, primary_key=True)
            if (table.was or table.name) not in pointed:
                return replace(table, columns=(*table.columns, second))
        case 2 | 3:
            key = replace(key, type="BigInteger")
        case _:
            pass
    return replace(table, key=key)


@st.composite
def _table(draw: st.DrawFn, name: str, others: list[str]) -> Table:
    columns = [draw(_column(f"c_{position}")) for position in range(draw(st.integers(1, 4)))]
    if draw(st.booleans()):
        target = draw(st.sampled_from(others))
        columns.append(Column("link", "Integer", foreign_key=f"{target}.id"))
    return Table(name, tuple(columns))


@st.composite
def _column(draw: st.DrawFn, name: str) -> Column:
    kind = draw(st.sampled_from(TYPES))
    nullable = draw(st.booleans()) or kind not in DEFAULTS
    column = Column(
        name,
        kind,
        nullable=nullable,
        default=None if nullable else DEFAULTS[kind],
        index=kind != "JSON" and draw(st.booleans()),
        check=_holds(name) if draw(st.integers(0, 3)) == 0 else None,
    )
    if kind == "String(40)" and draw(st.booleans()):
        # What is unique must stay so when old rows get a value.
        return replace(column, unique=True, default=None if nullable else "uuid4")
    return column


def _holds(name: str) -> str:
    """Return a condition that holds, whatever the type."""
    return f"{name} is null or {name} is not null"


@st.composite
def _rows(draw: st.DrawFn, table: Table) -> list[dict[str, Any]]:
    rows = []
    for position in range(draw(st.integers(0, 4))):
        row: dict[str, Any] = {"id": position + 1}
        for column in table.columns:
            value = draw(st.sampled_from(VALUES[column.type]))
            if column.unique:
                value = f"{position}{value}"[:40]
            if column.foreign_key or (column.nullable and draw(st.integers(0, 3)) == 0):
                value = None
            row[column.name] = value
        rows.append(row)
    return rows


@st.composite
def _changed(draw: st.DrawFn, table: Table, kept: set[str]) -> Table:
    columns: list[Column] = []
    for column in table.columns:
        if column.foreign_key and _target(column) not in kept:
            columns.append(replace(column, foreign_key=None))
        elif column.foreign_key or draw(st.integers(0, 4)):
            columns.append(draw(_changed_column(column)))
    columns += [draw(_column(f"n_{position}")) for position in range(draw(st.integers(0, 2)))]
    columns = columns or [Column("only", "Text")]
    if draw(st.booleans()):
        return Table(f"{table.name}_renamed", tuple(columns), was=table.name)
    return replace(table, columns=tuple(columns))


@st.composite
def _changed_column(draw: st.DrawFn, column: Column) -> Column:
    if draw(st.booleans()):
        column = replace(column, name=f"{column.name}_renamed", was=column.name)
        column = replace(column, check=column.check and _holds(column.name))
    if column.foreign_key or column.unique:
        return replace(column, unique=column.unique and draw(st.booleans()))
    if draw(st.integers(0, 2)) == 0:
        kind = draw(st.sampled_from(TYPES))
        nullable = draw(st.booleans()) or kind not in DEFAULTS
        default = None if nullable else DEFAULTS[kind]
        column = replace(column, type=kind, nullable=nullable, default=default)
    elif column.type in DEFAULTS:
        nullable = draw(st.booleans())
        default = None if nullable else DEFAULTS[column.type]
        column = replace(column, nullable=nullable, default=default)
    return replace(column, index=column.type != "JSON" and draw(st.booleans()))


# ------------------------------------------------------------------ what is the same value


def same(old: Any, new: Any, before: str, after: str) -> bool:
    """Tell whether a value of one type says the same as one of another; written without SQL."""
    if new is None:
        return old is None
    names = before.partition("(")[0], after.partition("(")[0]
    if names[0] == names[1]:
        return bool(old == new)
    if names[1] in TEXTS:
        return _reads_as(str(new), old, names[0])
    if set(names) <= NUMBERS:
        return _exact(old) == _exact(new)
    return _same_otherwise(old, new, names)


TEXTS = {"String", "Text", "Enum"}
WHOLE = {"Integer", "BigInteger"}
NUMBERS = {*WHOLE, "Float", "Numeric"}
READERS: dict[str, Callable[[str], Any]] = {
    "Boolean": {"true": True, "false": False}.get,
    "Date": date.fromisoformat,
    "DateTime": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    "JSON": json.loads,
    "Float": float,
}


def _reads_as(text: str, old: Any, before: str) -> bool:
    if before in TEXTS:
        return bool(text == old)
    try:
        return bool(READERS.get(before, Decimal)(text) == old)
    except (ValueError, ArithmeticError):
        return False  # such as the default, in the place of what was lost


def _same_otherwise(old: Any, new: Any, names: tuple[str, str]) -> bool:
    match names:
        case ("Boolean", "Integer" | "BigInteger") | ("Integer" | "BigInteger", "Boolean"):
            return bool(old == new)
        case ("String" | "Text" | "Enum", "Integer" | "BigInteger"):
            return bool(str(new) == old)
        case ("Date", "DateTime"):
            return bool(new == _midnight(old))
        case ("DateTime", "Date"):
            return bool(old == _midnight(new))
        case _:
            return False


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _exact(number: Any) -> Decimal:
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
