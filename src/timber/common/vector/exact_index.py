"""Finds the nearest vectors on SQLite: they lie in memory, and all are compared."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection
from typing_extensions import override

from timber.common.errors import InvalidRequestError
from timber.common.vector.base import Hit, Scope, VectorIndex
from timber.common.vector.exact_search import nearest
from timber.common.vector.matrix import Block, Matrix
from timber.common.vector.partitions import Partitions, Span, one_moment
from timber.common.vector.quantisation import Floats
from timber.common.vector.sqlite_driver import driver_of
from timber.common.vector.sqlite_filters import Filters

_FIRST: Final = 1024
"""Of so many of the nearest it is looked at once whether they meet the filters."""
_PASS: Final = 256
"""In a pass over memory one piece in so many can be found as fast as a few."""
_NONE_YET: Final = 8
"""So many times more are looked at when none of them does."""
_ENOUGH: Final = 1.5
"""So many times more than should be enough, by the share that met them so far."""
_TOO_MANY: Final = 4
"""To look at one piece in so many takes as long as to ask the database which of all meet them."""


class ExactIndex(VectorIndex):
    """Compares with every vector of the scope, so what it finds are the nearest."""

    def __init__(self, *, partitions: Partitions) -> None:
        self._partitions = partitions

    @override
    def nearest(
        self, connection: Connection, vector: Floats, *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Return the nearest by cosine, as the port says.

        Raises:
            InvalidRequestError: the limit or a filter cannot be used, or the vector is longer or
                shorter than those of the source.
            UnfitVectorsError: the stored vectors are not all of one length.
            DatabaseError: the database cannot be read.

        """
        if limit < 1:
            raise InvalidRequestError(f"limit must be 1 at least, not {limit!r}")
        driver, span = driver_of(connection), Span(scope.source_type, scope.owner)
        matrix = self._partitions.matrix(driver, span)
        if matrix is not None and not scope.filters:
            return nearest(fitting(matrix, vector, span), vector, limit=limit)
        filters = Filters(driver, scope)
        # What was read above is still known, unless somebody has written since.
        with one_moment(driver):
            matrix = self._partitions.matrix(driver, span)
            if matrix is None:
                blocks = _checked(self._partitions.blocks(driver, span), vector, span)
                return nearest(blocks, vector, limit=limit, among=filters.all())
            return _filtered(fitting(matrix, vector, span), vector, filters, limit=limit)


def _filtered(
    blocks: Sequence[Block], vector: Floats, filters: Filters, *, limit: int
) -> list[Hit]:
    """Return the nearest that meet the filters.

    Mostly they are among the nearest of all; if not, few meet them, and those are compared.
    """
    count, found, seen = sum(map(len, blocks)), list[Hit](), 0
    wanted = max(limit, _FIRST, count // _PASS)
    while wanted * _TOO_MANY <= count or wanted <= _FIRST:
        first = nearest(blocks, vector, limit=wanted)
        for start in range(seen, len(first), _FIRST):
            some = first[start : start + _FIRST]
            meeting = filters.among([hit.chunk_id for hit in some])
            found += [hit for hit in some if hit.chunk_id in meeting]
            if len(found) >= limit:
                return found[:limit]
        if len(first) < wanted:
            return found
        seen = wanted
        wanted = int(seen * max(2, _ENOUGH * limit / len(found))) if found else seen * _NONE_YET
    return nearest(blocks, vector, limit=limit, among=filters.all())


def fitting(matrix: Matrix, vector: Floats, span: Span) -> tuple[Block, ...]:
    """Return the blocks of a matrix, the small ones first: they may spare much in the large.

    Raises:
        InvalidRequestError: the vector is longer or shorter than they are.

    """
    return tuple(_checked(matrix.blocks[::-1], vector, span))


def _checked(blocks: Iterable[Block], vector: Floats, span: Span) -> Iterator[Block]:
    for one in blocks:
        if one.vectors.shape[1] != len(vector):
            raise InvalidRequestError(
                f"a vector of {len(vector)} numbers cannot be compared with those of "
                f"{span.source_type!r}, which have {one.vectors.shape[1]}: search with the "
                f"embedder that made them, or run `timber vectors reembed {span.source_type}`"
            )
        yield one
