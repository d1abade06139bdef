"""A turn that is taken again does not pay again: answers are journalled, and read back."""

import hashlib
from typing import Final

from typing_extensions import override

from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.wrapper import WrapperProvider
from puppet_engine.storage.answers import AnswerJournal


class JournalledProvider(WrapperProvider):
    """Asks `inner` on one occasion, and notes each answer before it gives it on.

    The n-th call of the occasion gets the answer that the n-th call got before, as in every
    engine that journals steps. It must be a call of the same kind: the same speaker, seed and
    limits. The words of the prompt may differ, for they tell the time and what was said since.
    """

    def __init__(self, inner: LLMProvider, *, journal: AnswerJournal, occasion: str) -> None:
        super().__init__(inner)
        self.occasion: Final = occasion
        self._journal = journal
        self._calls = 0

    @property
    def was_asked(self) -> bool:
        """Whether there may be answers of this occasion in the journal."""
        return self._calls > 0

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        call, self._calls = self._calls, self._calls + 1
        digest = kind_of(request)
        known = await self._journal.find(self.occasion, call, request=digest)
        if known is not None:
            return Completion.model_validate_json(known)
        answer = await self.inner.complete(request)
        await self._journal.keep(
            self.occasion, call, request=digest, answer=answer.model_dump_json()
        )
        return answer


def kind_of(request: CompletionRequest) -> str:
    """Return the SHA-256, in hexadecimal digits, of all of a request but its prompt."""
    return hashlib.sha256(request.options.model_dump_json().encode()).hexdigest()
