"""Which pieces of a scope meet its filters, asked of SQLite."""

import json
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, func, select

from timber.common.vector.base import Scope
from timber.common.vector.matrix import Numbers
from timber.common.vector.scopes import is_in_scope, pieces


class Filters:
    """The filters of a scope.

    Raises:
        InvalidRequestError: a filter cannot be read.

    """

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._has_any = bool(scope.filters)
        self._meeting = select(pieces.c.chunk_id).where(is_in_scope(scope, dialect="sqlite"))

    def among(self, chunk_ids: Sequence[int]) -> frozenset[int]:
        """Return which of these pieces of the scope meet the filters."""
        given = func.json_each(json.dumps(chunk_ids)).table_valued("value")
        is_given = pieces.c.chunk_id.in_(select(given.c.value))
        return frozenset(self._connection.scalars(self._meeting.where(is_given)))

    def all(self) -> Numbers | None:
        """Return the pieces of the scope that meet the filters; None if it has none."""
        if not self._has_any:
            return None
        return np.fromiter(self._connection.scalars(self._meeting), dtype=np.int64)
