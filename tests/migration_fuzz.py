"""One run of the fuzz: from A to B and back, with rows, on one database."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.migration_pairs import Column, Pair, Table, same, written
from tests.sealed_project import SealedProject

from timber.common.errors import DataLossError, MigrationError, SchemaMismatchError
from timber.common.migrations.difference import find_difference
from timber.common.migrations.summary import summary

Rows = dict[str, dict[str, dict[str, Any]]]
"""By table, then by id, whatever its type and name."""

_LOSS = re.compile(r"(?:the table (?P<table>\w+)|(?P<column>\w+\.\w+)) .*: (?P<rows>\d+) rows?$")


def run(folder: Path, pair: Pair, database_url: str) -> None:
    """Migrate there and back, and check that nothing is lost that was not declared."""
    project = SealedProject(folder, database_url=database_url)
    project.step(written(pair.before))
    before = _fill(project, pair)

    project.say(written(pair.after))
    if pair.has_other_keys:
        _refused(project, pair, before)
        return
    with project.migrator() as migrator:
        plan = migrator.plan()
        migrator.write(plan)
    declared = Counter(
        {_where(one.table, one.column): one.rows for one in plan.losses if not one.is_protection}
    )
    assert _change(project, "apply") == declared, "the plan and the run declare the same"

    after = _agreeing(project)
    lost = _lost_on_the_way(pair, before, after)
    assert lost == declared, "what is lost is what was declared"

    declared_back = _change(project, "roll_back")
    project.say(written(pair.before))
    back = _agreeing(project)
    undeclared = _lost_there_and_back(pair, before, back) - declared - declared_back
    assert not undeclared, "nothing is lost there and back that was not declared"


def _refused(project: SealedProject, pair: Pair, before: Rows) -> None:
    """Check that what cannot be done safely is refused, and touches nothing."""
    steps = sorted(project.steps.iterdir())
    with project.migrator() as migrator, pytest.raises(MigrationError, match="the primary key of"):
        migrator.plan()
    with (
        pytest.raises(SchemaMismatchError),
        project.opened(create_tables=True),
    ):
        pass
    assert sorted(project.steps.iterdir()) == steps
    project.say(written(pair.before))
    assert _agreeing(project) == before, "what is refused changes nothing"


def _where(table: str, column: str | None) -> str:
    return f"{table}.{column}" if column else table


def _fill(project: SealedProject, pair: Pair) -> Rows:
    with (
        project.opened() as timber,
        timber.database.engine.begin() as connection,
    ):
        for table, rows in pair.rows.items():
            if rows:
                connection.execute(insert(timber.base.metadata.tables[table]), _unlinked(rows))
        for table, rows in pair.rows.items():
            known = timber.base.metadata.tables[table]
            for row in rows:
                if row.get("link"):
                    linked = update(known).where(known.c.id == row["id"])
                    connection.execute(linked.values(link=row["link"]))
    return _agreeing(project)


def _unlinked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that point to nothing yet, for tables can point to each other."""
    return [{key: value for key, value in row.items() if key != "link"} for row in rows]


def _agreeing(project: SealedProject) -> Rows:
    """Return all rows, of tables that are those of the models."""
    rows: Rows = {}
    with (
        project.opened(create_tables=True) as timber,
        timber.database.engine.connect() as connection,
    ):
        left = find_difference(connection, timber.base.metadata, known=frozenset())
        assert left.is_empty, summary(left.upgrade, connection.dialect)
        for name, table in timber.base.metadata.tables.items():
            [key, *_] = (column.name for column in table.primary_key)
            found = connection.execute(select(table)).mappings()
            known = timber.sealer.tables
            opened = (
                timber.sealer.open_row(name, row) if name in known else dict(row) for row in found
            )
            rows[name] = {str(row[key]): row for row in opened}
    return rows


def _change(project: SealedProject, how: str) -> Counter[str]:
    """Apply or roll back, at first without the word; return what that says would be lost."""
    with project.migrator() as migrator:
        try:
            getattr(migrator, how)()
        except DataLossError as error:
            getattr(migrator, how)(allow_data_loss=True)
            return Counter(
                dict(_parsed(loss) for loss in error.losses if "plain text" not in loss)
            )
    return Counter()


def _parsed(loss: str) -> tuple[str, int]:
    found = _LOSS.search(loss)
    assert found, loss
    table, column = found["table"], found["column"]
    return table or column, int(found["rows"])


def _lost_on_the_way(pair: Pair, before: Rows, after: Rows) -> Counter[str]:
    lost: Counter[str] = Counter()
    kept = {table.was or table.name: table for table in pair.after}
    for table in pair.before:
        rows = before[table.name]
        if table.name not in kept:
            lost[table.name] += len(rows)
            continue
        new = kept[table.name]
        assert after[new.name].keys() == rows.keys()
        for column in table.columns:
            lost += _lost_of(column, new, rows, after[new.name])
    return +lost


def _lost_of(
    column: Column, table: Table, rows: dict[str, Any], after: dict[str, Any]
) -> Counter[str]:
    heirs = [one for one in table.columns if column.name in (one.was, one.name)]
    given = {id_: row[column.name] for id_, row in rows.items() if row[column.name] is not None}
    if not heirs:
        return Counter({f"{table.name}.{column.name}": len(given)})
    [heir] = heirs
    lost = [
        id_
        for id_, value in given.items()
        if not same(value, after[id_][heir.name], column.type, heir.type)
    ]
    for row in after.values():
        assert heir.nullable or row[heir.name] is not None
    return Counter({f"{table.name}.{heir.name}": len(lost)})


def _lost_there_and_back(pair: Pair, before: Rows, back: Rows) -> Counter[str]:
    """Return how many values differ, by the names of B, under which they were declared."""
    lost: Counter[str] = Counter()
    kept = {table.was or table.name: table for table in pair.after}
    for table in pair.before:
        if table.name not in kept:
            lost[table.name] += len(before[table.name].keys() - back[table.name].keys())
            continue
        new = kept[table.name]
        for column in table.columns:
            name = next(
                (one.name for one in new.columns if column.name in (one.was, one.name)),
                column.name,
            )
            for id_, row in before[table.name].items():
                value = row[column.name]
                if value is not None and back[table.name][id_][column.name] != value:
                    lost[f"{new.name}.{name}"] += 1
    return lost
