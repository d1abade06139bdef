"""How many rows there are, without reading a large table to the end."""

from typing import Any, Final, Self

from sqlalchemy import Select, TableClause, func, literal, select, text
from sqlalchemy.orm import Session
from typing_extensions import override

from timber.common.modeling.mixins import INCLUDE_DELETED

COUNTED: Final = 10_000
"""Up to so many rows are counted; how many more there are is estimated, or left open."""

READ_THROUGH: Final = 100_000
"""Up to so many rows a search reads the text of all of them; in more it looks values up."""


class RowCount(int):
    """A number of rows; as text it says how sure it is.

    As a number it is never more than `COUNTED + 1`, so that no page lies deeper than that.
    """

    said: str

    def __new__(cls, number: int, said: str | None = None) -> Self:
        """Say the number itself, unless something else is to be said."""
        count = super().__new__(cls, number)
        count.said = f"{number:,}" if said is None else said
        return count

    @override
    def __str__(self) -> str:
        return self.said


def count_rows(session: Session, statement: "Select[Any]", *, table: str | None) -> RowCount:
    """Count what `statement` selects.

    `table` is given when that is the table as a whole: PostgreSQL has an estimate of it.
    The statement itself says whether deleted rows count.
    """
    limited = (
        statement.with_only_columns(literal(1), maintain_column_froms=True)
        .limit(COUNTED + 1)
        .subquery()
    )
    counting = select(func.count()).select_from(limited)
    counted = int(session.scalars(counting, execution_options={INCLUDE_DELETED: True}).one())
    if counted <= COUNTED:
        return RowCount(counted)
    estimate = _estimate(session, table) if table else 0
    if estimate > COUNTED:
        return RowCount(counted, f"about {_rounded(estimate):,}")
    return RowCount(counted, f"more than {COUNTED:,}")


def has_more_rows(session: Session, table: TableClause, limit: int) -> bool:
    """Tell whether a table has more rows than `limit`, without reading more of them."""
    limited = select(literal(1)).select_from(table).limit(limit + 1).subquery()
    return session.scalars(select(func.count()).select_from(limited)).one() > limit


def _estimate(session: Session, table: str) -> int:
    if session.get_bind().dialect.name != "postgresql":
        return 0
    statement = text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:name)")
    quoted = session.get_bind().dialect.identifier_preparer.quote(table)
    return int(session.execute(statement, {"name": quoted}).scalar() or 0)


def _rounded(number: int) -> int:
    """Keep two digits: more would be made up."""
    return round(number, 2 - len(str(number)))
