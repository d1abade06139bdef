"""Schemas drawn at random, with circles, and rows of several persons in them."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

PERSONS = ("ann", "bob", "cid")
FREE = "free"
"""Whose rows are that are about nobody."""


@dataclass
class Drawn:
    """A model file, and rows for its tables."""

    file: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By table, without the links that close circles."""
    links: list[tuple[str, int, str, int]] = field(default_factory=list)
    """Links to be set when all rows are there: table, key, column, value."""
    owned: dict[str, bool] = field(default_factory=dict)
    """Whether rows of a table are about persons."""
    flagged: set[str] = field(default_factory=set)
    """The tables whose rows are a person's by their path alone."""
    mixed: set[str] = field(default_factory=set)
    """Tables without the flag whose rows may need rows of several persons; nobody's row that has
    the flag needs one of theirs, or it would have to stay."""


@dataclass
class _Table:
    name: str
    strict: dict[str, str] = field(default_factory=dict)
    """Links that must not be null, by column; to tables before it, or to itself."""
    loose: dict[str, str] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)
    """A link that must not be null to the table after it, which points back as strictly."""
    user: str | None = None
    """Whether there is a `user_id`: strict, loose, or a loose one by which nobody is found."""
    path: str | None = None

    @property
    def is_flagged(self) -> bool:
        return self.path is not None

    @property
    def needs(self) -> set[str]:
        return {*self.strict.values(), *self.back.values()}


@st.composite
def schemas(draw: st.DrawFn) -> Drawn:
    """Give a model file and rows; of each person some in each table that is about persons."""
    drawn = Drawn()
    tables: list[_Table] = []
    count = draw(st.integers(2, 5))
    for number in range(count):
        table = _table(draw, number, count, tables, drawn)
        if tables and draw(st.integers(0, 4)) == 0:
            _close_circle(tables[-1], table)
        tables.append(table)
    while more := [
        one.name
        for one in tables
        if not drawn.owned[one.name] and any(drawn.owned[name] for name in one.needs)
    ]:
        drawn.owned.update(dict.fromkeys(more, True))
    pairs = draw(
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)),
            max_size=2,
            unique=True,
        )
    )
    drawn.file = {
        # One with the flag at least, or nothing is personal.
        "models": [
            _model(one) for one in (*tables, _Table("flagged", user="strict", path="user_id"))
        ],
        "association_tables": [
            _association(number, tables[here].name, tables[there].name)
            for number, (here, there) in enumerate(pairs)
        ],
    }
    drawn.flagged = {one.name for one in tables if one.is_flagged}
    needed = _needed(tables)
    drawn.mixed = {
        name
        for name in sorted(drawn.owned.keys() - drawn.flagged - needed)
        if drawn.owned[name] and draw(st.booleans())
    }
    _rows(draw, tables, drawn)
    for number, (here, there) in enumerate(pairs):
        _pairs(draw, f"pairs_{number}", tables[here].name, tables[there].name, drawn)
    return drawn


def _needed(tables: list[_Table]) -> set[str]:
    """Return the tables whose rows others with the flag cannot be without."""
    by_name = {one.name: one for one in tables}
    found: set[str] = set()
    left = [one for one in tables if one.is_flagged]
    while left:
        further = left.pop().needs - found
        found |= further
        left += [by_name[name] for name in further]
    return found


def _table(  # noqa: C901 - each kind of link is drawn
    draw: st.DrawFn, number: int, count: int, before: list[_Table], drawn: Drawn
) -> _Table:
    table = _Table(f"table_{number}")
    for other in before:
        kind = draw(st.sampled_from(["none", "none", "strict", "loose"]))
        if kind == "strict":
            table.strict[f"to_{other.name}"] = other.name
        elif kind == "loose":
            table.loose[f"to_{other.name}"] = other.name
    for after in range(number, count):
        if draw(st.integers(0, 2)) == 0:
            table.loose[f"on_{after}"] = f"table_{after}"  # to itself, or in a circle
    if draw(st.integers(0, 3)) == 0:
        table.strict["parent"] = table.name
    table.user = draw(st.sampled_from(["strict", "strict", "loose", "mention", None]))
    if draw(st.booleans()):
        table.path = _path(draw, table, before)
    if table.user == "loose" and table.path != "user_id":
        table.user = "mention"
    strictly = any(drawn.owned.get(other, False) for other in table.strict.values())
    drawn.owned[table.name] = table.is_flagged or table.user == "strict" or strictly
    return table


def _close_circle(other: _Table, table: _Table) -> None:
    """Let two tables point to each other: no row of one can be without one of the other."""
    table.loose.pop(f"to_{other.name}", None)
    table.strict[f"to_{other.name}"] = other.name
    other.back[f"back_{table.name}"] = table.name


def _path(draw: st.DrawFn, table: _Table, before: list[_Table]) -> str | None:
    paths = ["user_id"] if table.user in {"strict", "loose"} else []
    by_name = {one.name: one for one in before}
    for column, target in {**table.strict, **table.loose}.items():
        if target in by_name and by_name[target].path is not None:
            paths.append(f"{column}.{by_name[target].path}")
    return draw(st.sampled_from(paths)) if paths else None


def _model(table: _Table) -> dict[str, Any]:
    columns: list[dict[str, Any]] = [
        {"name": "id", "type": "Integer", "primary_key": True},
        {"name": "mark", "type": "Text"},
    ]
    if table.user is not None:
        columns.append(
            {
                "name": "user_id",
                "type": "String(36)",
                "foreign_key": "users.user_id",
                "nullable": table.user != "strict",
            }
        )
    for links, nullable in ((table.strict | table.back, False), (table.loose, True)):
        columns += [
            {
                "name": column,
                "type": "Integer",
                "foreign_key": f"{target}.id",
                "nullable": nullable,
            }
            for column, target in links.items()
        ]
    model = {"name": table.name.title().replace("_", ""), "table_name": table.name}
    flag = {"gdpr": {"enabled": True, "user_id_field": table.path}} if table.is_flagged else {}
    return {**model, "columns": columns, **flag}


def _association(number: int, here: str, there: str) -> dict[str, Any]:
    sides = (("here_id", here), ("there_id", there))
    return {
        "name": f"pairs_{number}",
        "columns": [
            {"name": name, "type": "Integer", "primary_key": True, "foreign_key": f"{target}.id"}
            for name, target in sides
        ],
    }


def _rows(  # noqa: C901, PLR0912, PLR0915 - each kind of link is drawn
    draw: st.DrawFn, tables: list[_Table], drawn: Drawn
) -> None:
    mine: dict[tuple[str, str], list[int]] = {}
    for table in tables:
        drawn.rows[table.name] = []
        for who in PERSONS if drawn.owned[table.name] else (FREE,):
            for _ in range(draw(st.integers(1, 3))):
                key = len(drawn.rows[table.name]) + 1
                row: dict[str, Any] = {"id": key, "mark": f"{who}'s {table.name} {key}"}
                known = mine.setdefault((table.name, who), [])
                for column, target in table.strict.items():
                    whose = who if drawn.owned[target] else FREE
                    there = known if target == table.name else mine[target, whose]
                    if table.name in drawn.mixed:
                        there = [one["id"] for one in drawn.rows[target]]
                    row[column] = draw(
                        st.sampled_from([*there, key] if target == table.name else there)
                    )
                if table.user in {"strict", "loose"}:
                    row["user_id"] = who
                elif table.user == "mention":
                    row["user_id"] = draw(st.sampled_from([None, *PERSONS]))
                row |= dict.fromkeys(table.back, key)  # until theirs are there
                drawn.rows[table.name].append(row)
                known.append(key)
    _backs(draw, tables, drawn, mine)
    for table in tables:
        if table.strict.get("parent") == table.name:
            for row in drawn.rows[table.name]:
                who = row["mark"].partition("'")[0]
                rows = drawn.rows[table.name] if table.name in drawn.mixed else ()
                ring = [one["id"] for one in rows] or mine[table.name, who]
                drawn.links.append((table.name, row["id"], "parent", draw(st.sampled_from(ring))))
        first = (table.path or "").partition(".")[0]
        for row in drawn.rows[table.name]:
            who = row["mark"].partition("'")[0]
            for column, target in table.loose.items():
                if column == first:
                    choices: list[int | None] = list(mine[target, who])
                else:
                    choices = [None, *(one["id"] for one in drawn.rows[target])]
                value = draw(st.sampled_from(choices))
                if value is not None:
                    drawn.links.append((table.name, row["id"], column, value))


def _backs(
    draw: st.DrawFn, tables: list[_Table], drawn: Drawn, mine: dict[tuple[str, str], list[int]]
) -> None:
    """Let rows point back to those of whose they are."""
    for table in tables:
        for column, target in table.back.items():
            for row in drawn.rows[table.name]:
                who = row["mark"].partition("'")[0]
                value = draw(st.sampled_from(mine[target, who]))
                drawn.links.append((table.name, row["id"], column, value))


def _pairs(draw: st.DrawFn, name: str, here: str, there: str, drawn: Drawn) -> None:
    sides = (drawn.rows[here], drawn.rows[there])
    keys = [st.sampled_from([row["id"] for row in rows]) for rows in sides]
    found = draw(st.lists(st.tuples(*keys), max_size=4, unique=True))
    drawn.rows[name] = [{"here_id": one, "there_id": other} for one, other in found]
