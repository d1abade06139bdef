"""How many tokens a call takes, where no server has counted them. Pure."""

from math import ceil
from typing import Final

from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.llm.base import CompletionRequest

BYTES_PER_TOKEN: Final = 3
"""Tokenizers of large models need about four bytes of English for a token, less of others."""

FRAME: Final = 16
"""The tokens that a server puts around the messages of a request."""

USUAL_ANSWER: Final = 1_000
"""What an answer without a limit is reckoned with before it is there, thoughts included."""


def reckoned(request: CompletionRequest, text: str) -> ModelUsage:
    """Return about what a request and its answer take."""
    return ModelUsage(
        input_tokens=_read(request),
        output_tokens=ceil(len(text.encode()) / BYTES_PER_TOKEN),
        is_estimate=True,
    )


def foreseen(request: CompletionRequest) -> ModelUsage:
    """Return about what a request will take, rather too much than too little."""
    return ModelUsage(
        input_tokens=_read(request),
        output_tokens=request.options.max_tokens or USUAL_ANSWER,
        is_estimate=True,
    )


def _read(request: CompletionRequest) -> int:
    size = len(request.options.system.encode()) + len(request.prompt.encode())
    return ceil(size / BYTES_PER_TOKEN) + FRAME
