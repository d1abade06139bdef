"""Calls kept in a file, and answered from it: one JSON object a line, `call` and what came of it.

There may be personal data in such a file, and there is no key in it.
"""

import hashlib
import json
from collections import defaultdict, deque
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import override

from puppet_engine.core.errors import (
    LLMError,
    LLMRefusedError,
    LLMUnavailableError,
    ModelBudgetError,
    RecordingError,
)
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.wrapper import WrapperProvider

_SHOWN: Final = 80

_FAILURES: Final[dict[str, type[LLMError]]] = {
    "LLMUnavailableError": LLMUnavailableError,
    "LLMRefusedError": LLMRefusedError,
}


class Failure(BaseModel):
    """A call that came to nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["LLMUnavailableError", "LLMRefusedError", "LLMError"]
    message: str


class Line(BaseModel):
    """One call, and what came of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    call: CompletionRequest
    completion: Completion | None = None
    failure: Annotated[Failure | None, Field(description="Where there is no completion.")] = None


class RecordingProvider(WrapperProvider):
    """Writes every call of `inner` to a file, after those that are in it."""

    def __init__(self, inner: LLMProvider, *, file: Path) -> None:
        super().__init__(inner)
        self._file = file

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        try:
            completion = await self.inner.complete(request)
        except ModelBudgetError:
            raise  # nobody was asked
        except LLMError as error:
            known = type(error).__name__ in _FAILURES
            kind = type(error).__name__ if known else "LLMError"
            failure = Failure.model_validate({"type": kind, "message": f"{error}"})
            self._write(Line(call=request, failure=failure))
            raise
        self._write(Line(call=request, completion=completion))
        return completion

    def _write(self, line: Line) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{line.model_dump_json(exclude_none=True)}\n")
        except OSError as error:
            raise RecordingError(f"{self._file} cannot be written: {error}") from error


class ReplayingProvider(LLMProvider):
    """Answers from a file: a call gets what the same call got, those made twice in their order.

    Nobody is asked, and nothing is paid.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines: dict[str, deque[Line]] | None = None

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        if self._lines is None:
            self._lines = _read(self._file)
        waiting = self._lines.get(_digest(request))
        if not waiting:
            raise RecordingError(
                f"{self._file} has no (more) answer to {request.prompt[:_SHOWN]!r}: record it anew"
                " with PUPPET_LLM_RECORD_TO, by the same settings and seed"
            )
        line = waiting.popleft()
        if line.completion is not None:
            return line.completion
        failure = line.failure or Failure(type="LLMError", message="nothing came of it")
        raise _FAILURES.get(failure.type, LLMError)(failure.message)


def _read(file: Path) -> dict[str, deque[Line]]:
    lines: defaultdict[str, deque[Line]] = defaultdict(deque)
    try:
        texts = file.read_text("utf-8").rstrip("\n").split("\n")
    except OSError as error:
        raise RecordingError(f"{file} cannot be read: {error}") from error
    for number, text in enumerate(texts, start=1):
        try:
            line = Line.model_validate_json(text)
        except ValidationError as error:
            raise RecordingError(f"{file}:{number}: this is no recorded call: {error}") from error
        lines[_digest(line.call)].append(line)
    return dict(lines)


def _digest(request: CompletionRequest) -> str:
    asked = json.dumps(request.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()
