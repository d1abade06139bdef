"""Products of vectors: SimSIMD's of floats, NumKong's of small whole numbers, the fastest of each.

They are of the same makers, and usearch loads NumKong for the whole process. Some of its functions
have the names of SimSIMD's, which then calls those, and takes float32 for something else. So it
is loaded with its own symbols first, where a loader can do otherwise.
"""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from timber.common.errors import FeatureUnavailableError
from timber.common.vector.numerics import needed


def _loaded() -> Callable[..., Any]:
    with _own_symbols_first():
        simsimd = needed("simsimd", feature="finding by meaning", extra="vectors")
    function: Callable[..., Any] = simsimd.cdist
    probe = np.ones((1, 2), dtype=np.float32)
    try:
        function(probe, probe.copy(), "dot")
    except TypeError as error:
        raise FeatureUnavailableError(
            "finding by meaning",
            cure="simsimd was imported after usearch, which breaks it: open Timber before",
        ) from error
    return function


@contextmanager
def _own_symbols_first() -> Generator[None]:
    deep = getattr(os, "RTLD_DEEPBIND", None)  # of glibc; macOS does so anyway
    if deep is None:
        yield
        return
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | deep)
    try:
        yield
    finally:
        sys.setdlopenflags(flags)


_cdist: Final = _loaded()
_numkong: Final = needed("numkong", feature="finding by meaning", extra="vectors")
# The tiles of AMX are for many queries at once: one by itself takes half as long again by them.
_numkong.disable_capability("sapphireamx")


def products(query: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return the products, shape (n,), of a vector, shape (1, dimension), with rows of its type.

    SimSIMD can write into an array that is given, but then forgets to count that it returns
    None, until CPython has none left: https://github.com/ashvardanian/SimSIMD
    """
    found = np.asarray(_cdist(query, rows, "dot", out_dtype="float32"), dtype=np.float32)
    return found.reshape(-1)


class Packed:
    """Rows of signed bytes, in the order in which NumKong reads them fastest."""

    def __init__(self, rows: NDArray[np.int8]) -> None:
        """Take rows, shape (n, dimension)."""
        self._rows = _numkong.dots_pack(rows, dtype="int8")
        self.nbytes = int(self._rows.nbytes)

    def products(self, query: NDArray[np.int8]) -> NDArray[np.int32]:
        """Return the products, shape (n,), with a vector, shape (1, dimension); exact."""
        found = np.asarray(_numkong.dots_packed(query, self._rows), dtype=np.int32)
        return found.reshape(-1)
