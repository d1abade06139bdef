"""The rounds that contenders of the services do, and what is there when they are done."""

from collections.abc import Mapping
from typing import Final

from benchmarks.harness.stage import Facts
from sqlalchemy import create_engine, func, select, table

MODEL: Final = """\
models:
  - name: Job
    table_name: jobs
    session_type: job
    mixins: [TimestampMixin, SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false, index: true}
      - {name: title, type: String(50)}
      - {name: state, type: String(50), nullable: false, default: new}
      - {name: data, type: JSON}
    states:
      initial: new
      transitions: {new: [busy], busy: [done]}
      final: [done]
"""
"""The type of sessions as a model file; the peer has the same tables, written by hand."""

USER: Final = "ada"
PATCH: Final = {"results": {"score": 0.85, "parts": [1, 2, 3]}, "done": True}
_TABLES: Final = ("jobs", "state_transitions", "notifications", "tracked_events")


def stored(database_url: str) -> Facts:
    """Tell what is in the tables, by a connection that has nothing to do with the contender."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        facts = {
            name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
            for name in _TABLES
        }
    engine.dispose()
    return facts


def expected(size: int) -> Mapping[str, int]:
    """Return what `stored` should tell."""
    return {
        "jobs": size,
        "state_transitions": 2 * size,
        "notifications": size,
        "tracked_events": size,
    }
