"""Getting a text that the agent has not published before."""

from collections.abc import Sequence
from typing import Final

from puppet_engine.agents.actions import Turn
from puppet_engine.core.errors import LLMRefusedError
from puppet_engine.llm.base import POST_CHARACTERS, shorten

TRIES: Final = 4
"""How often a model is asked for a text that does not repeat the last ones."""

TEMPERATURE: Final = 0.9


async def fresh_text(
    turn: Turn, prompt: str, said: Sequence[str], *, mention: str | None = None
) -> str:
    """Return a text for `prompt` that is none of those `said`, and names `mention`, if any.

    Raises:
        LLMUnavailableError: no model answers.
        LLMRefusedError: the model refuses, or only repeats what was said.

    """
    before = {_gist(text) for text in said}
    text = ""
    for _ in range(TRIES):
        options = {
            "system": turn.agent.system_prompt,
            "temperature": TEMPERATURE,
            "seed": turn.chance.getrandbits(31),
        }
        text = address(await turn.llm.generate_tweet(prompt, options), mention)
        if _gist(text) not in before:
            return text
    raise LLMRefusedError(
        f"{TRIES} times in a row the model repeats what {turn.agent.id!r} said before: {text!r}"
    )


def address(text: str, handle: str | None) -> str:
    """Return `text` with the handle in it, put in front when it is missing."""
    if handle is None or f"@{handle.lower()}" in text.lower():
        return text
    return shorten(f"@{handle} {text}", POST_CHARACTERS)


def _gist(text: str) -> str:
    return " ".join(text.casefold().split())
