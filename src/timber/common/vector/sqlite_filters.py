"""Which pieces of a scope meet its filters, asked of SQLite."""

import json
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, Select, and_, func, select, true

from timber.common.vector.base import Scope
from timber.common.vector.filter_reader import read_filters
from timber.common.vector.filter_sql import condition_on
from timber.common.vector.matrix import Numbers
from timber.common.vector.tables import chunks, partitions


class Filters:
    """The filters of a scope.

    Raises:
        InvalidRequestError: a filter cannot be read.

    """

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope
        self._meets = (
            condition_on(chunks.c.attributes, read_filters(scope.filters), dialect="sqlite")
            if scope.filters
            else true()
        )

    def among(self, chunk_ids: Sequence[int]) -> frozenset[int]:
        """Return which of these pieces meet the filters."""
        given = func.json_each(json.dumps(chunk_ids)).table_valued("value")
        is_given = chunks.c.chunk_id.in_(select(given.c.value))
        rows = self._connection.scalars(select(chunks.c.chunk_id).where(is_given, self._meets))
        return frozenset(rows)

    def all(self) -> Numbers | None:
        """Return the pieces of the scope that meet the filters; None if it has none."""
        if not self._scope.filters:
            return None
        rows = self._connection.scalars(self._every())
        return np.fromiter(rows, dtype=np.int64)

    def _every(self) -> Select[tuple[int]]:
        is_in_scope = chunks.c.source_type == self._scope.source_type
        if self._scope.owner is not None:
            partition = select(partitions.c.partition_id).where(
                partitions.c.source_type == self._scope.source_type,
                partitions.c.owner == self._scope.owner,
            )
            is_in_scope = and_(chunks.c.partition_id == partition.scalar_subquery())
        return select(chunks.c.chunk_id).where(is_in_scope, self._meets)
