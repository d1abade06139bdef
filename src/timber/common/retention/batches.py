"""One batch of rows that are old enough: found, deleted or emptied, and logged, in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, not_, or_, select, tuple_, update

from timber.common.errors import ConstraintError
from timber.common.failpoints import reach
from timber.common.retention.failpoints import RetentionFailpoint
from timber.common.retention.rules import RetentionRule

BATCH: Final = 500
"""How many rows a transaction takes, and how many keys are in memory."""


@dataclass(frozen=True)
class Done:
    """What became of a batch."""

    rows: int
    first: datetime | date
    last: datetime | date
    refused: int
    """How many rows others have come to need meanwhile."""
    end: tuple[Any, ...]
    """Where the next batch begins."""
    is_last: bool


def work_off(
    connection: Connection,
    rule: RetentionRule,
    cutoff: datetime | date,
    obstacle: Any,
    *,
    after: tuple[Any, ...] | None,
) -> Done | None:
    """Do the next batch; None if there is none."""
    found = _found(connection, rule, cutoff, obstacle, after)
    reach(RetentionFailpoint.SELECTED)
    if not found:
        return None
    keys = [tuple(row[1:]) for row in found]
    try:
        with connection.begin_nested():
            _apply(connection, rule, keys)
        done = keys
    except ConstraintError:
        done = [key for key in keys if _alone(connection, rule, key)]
    reach(RetentionFailpoint.APPLIED)
    return Done(
        rows=len(done),
        first=found[0][0],
        last=found[-1][0],
        refused=len(keys) - len(done),
        end=tuple(found[-1]),
        is_last=len(found) < BATCH,
    )


def due(rule: RetentionRule, cutoff: datetime | date, obstacle: Any) -> Any:
    """Return the condition to be old enough, and neither held nor needed."""
    wanted = and_(rule.due(cutoff), or_(not_(rule.held), rule.held.is_(None)))
    return and_(wanted, not_(obstacle)) if rule.outcome == "delete" else wanted


def _found(
    connection: Connection,
    rule: RetentionRule,
    cutoff: datetime | date,
    obstacle: Any,
    after: tuple[Any, ...] | None,
) -> Sequence[Any]:
    order = (rule.since, *rule.key)
    statement = select(*order).where(due(rule, cutoff, obstacle)).order_by(*order).limit(BATCH)
    if after is not None:
        statement = statement.where(tuple_(*order) > after)
    if connection.dialect.name == "postgresql":
        # What somebody changes right now is left for the next time.
        statement = statement.with_for_update(skip_locked=True, of=rule.table)
    return connection.execute(statement).all()


def _apply(connection: Connection, rule: RetentionRule, keys: Sequence[tuple[Any, ...]]) -> None:
    [*columns] = rule.key
    if len(columns) == 1:
        which = columns[0].in_([key[0] for key in keys])
    else:
        which = tuple_(*columns).in_(keys)
    if rule.outcome == "delete":
        connection.execute(delete(rule.table).where(which))
        if rule.history is not None:
            rule.history.forget(connection, keys)
    else:
        connection.execute(update(rule.table).where(which).values(**rule.values))


def _alone(connection: Connection, rule: RetentionRule, key: tuple[Any, ...]) -> bool:
    try:
        with connection.begin_nested():
            _apply(connection, rule, [key])
    except ConstraintError:
        return False
    return True
