"""Which pieces of a scope meet its filters, asked of SQLite."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from timber.common.vector.base import Scope
from timber.common.vector.matrix import Numbers
from timber.common.vector.scopes import PARTITION_OF_OWNER, meeting
from timber.common.vector.tables import CHUNKS

_OF_SOURCE: Final = "source_type = :source"
_OF_OWNER: Final = f"partition_id = {PARTITION_OF_OWNER}"


class Filters:
    """The filters of a scope.

    Filters of one shape have the same SQL, which the driver prepares once.

    Raises:
        InvalidRequestError: a filter cannot be read.

    """

    def __init__(self, driver: sqlite3.Connection, scope: Scope) -> None:
        self._driver = driver
        self._has_any = bool(scope.filters)
        condition = meeting(scope.filters, dialect="sqlite")
        self._condition = condition.sql
        self._mine = _OF_SOURCE if scope.owner is None else _OF_OWNER
        self._given: dict[str, Any] = {
            "source": scope.source_type,
            "owner": scope.owner,
            **condition.parameters,
        }

    def among(self, chunk_ids: Sequence[int]) -> frozenset[int]:
        """Return which of these pieces of the scope meet the filters."""
        # They were found in the scope; all that is asked of them is the rest.
        statement = (
            f"SELECT chunk_id FROM {CHUNKS} WHERE {self._condition}"
            " AND chunk_id IN (SELECT value FROM json_each(:keys))"
        )
        rows = self._driver.execute(statement, {**self._given, "keys": json.dumps(chunk_ids)})
        return frozenset(chunk_id for (chunk_id,) in rows)

    def all(self) -> Numbers | None:
        """Return the pieces of the scope that meet the filters; None if it has none."""
        if not self._has_any:
            return None
        statement = f"SELECT chunk_id FROM {CHUNKS} WHERE {self._mine} AND {self._condition}"
        rows = self._driver.execute(statement, self._given)
        return np.fromiter((chunk_id for (chunk_id,) in rows), dtype=np.int64)
