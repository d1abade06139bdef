"""Getting a text that may leave: asked for, checked, asked for again with the reason, or not said.

A draft without findings goes out. After so many drafts with some, the best of those goes out that
break no hard rule. When all of them do, nothing is said, and what was wrong is recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from puppet_engine.agents.actions import Turn
from puppet_engine.agents.doors import LOOKED_BACK
from puppet_engine.core.errors import ModelBudgetError
from puppet_engine.core.models import EventDraft, TurnOutcome
from puppet_engine.llm.base import POST_CHARACTERS, shorten
from puppet_engine.personas.prompt import corrected
from puppet_engine.style.findings import Violation
from puppet_engine.style.repetition import marks_of
from puppet_engine.style.scorer import Score, score

TRIES: Final = 4
"""How many drafts a model is asked for."""

TEMPERATURE: Final = 0.9

HELD_BACK: Final = "text.held_back"
"""The type of the event that tells what was not said, and why."""


@dataclass(frozen=True)
class Draft:
    """A text that a model proposed, and what is to be said of it."""

    text: str
    findings: tuple[Violation, ...]
    score: Score

    @property
    def may_leave(self) -> bool:
        """Whether it breaks no hard rule."""
        return not any(found.is_hard for found in self.findings)

    def told(self) -> dict[str, Any]:
        """Return what is kept of it for those who ask why; an unsafe text is not."""
        unsafe = any(found.rule.startswith("safety.") for found in self.findings)
        return {
            "text": "" if unsafe else self.text,
            "findings": [found.line() for found in self.findings],
            "score": round(self.score.total, 4),
        }


@dataclass(frozen=True)
class Wording:
    """What came of asking a model: a text that may leave, or none; and all of its drafts."""

    chosen: Draft | None
    drafts: tuple[Draft, ...]
    silenced: ModelBudgetError | None = None
    """Why no model is asked any more today, where that is so."""

    def wrong(self) -> list[str]:
        """Return what was found in all of the drafts, each finding once."""
        findings = (line for draft in self.drafts for line in draft.told()["findings"])
        return list(dict.fromkeys(findings))

    def checks(self) -> dict[str, Any]:
        """Return what goes with a text that leaves: how it was found."""
        found = [] if self.chosen is None else self.chosen.told()["findings"]
        return {"drafts": len(self.drafts), "findings": found}


async def worded(
    turn: Turn, prompt: str, said: Sequence[str], *, mention: str | None = None
) -> Wording:
    """Return a text for `prompt` that may leave, and names `mention`, if any.

    `said` is what the agent remembers to have said lately, newest first.

    Raises:
        LLMUnavailableError: no model answers.
        LLMRefusedError: the model refuses.

    """
    gate = turn.doors.of(turn.agent)
    past = await turn.ledger.intents.past(turn.agent.id, limit=LOOKED_BACK)
    own = tuple(dict.fromkeys((*past.own, *said)))
    drafts: list[Draft] = []
    while len(drafts) < TRIES:
        wrong = [found.line() for found in drafts[-1].findings] if drafts else []
        try:
            text = await turn.llm.generate_tweet(corrected(prompt, wrong), _options(turn))
        except ModelBudgetError as error:
            return Wording(chosen=_best(drafts), drafts=tuple(drafts), silenced=error)
        text = address(text, mention)
        ago = await turn.ledger.intents.alike(turn.agent.id, marks_of(text), limit=LOOKED_BACK)
        found = tuple(gate.judge(text, own=(*own, *ago.own), cast=(*past.cast, *ago.cast)))
        drafts.append(Draft(text=text, findings=found, score=score(text, found, own=own)))
        if not found:
            break
    return Wording(chosen=_best(drafts), drafts=tuple(drafts))


def held_back(turn: Turn, wording: Wording, **about: Any) -> TurnOutcome:
    """Return the outcome of a turn in which nothing may be said: the record of why."""
    told = EventDraft(
        type=HELD_BACK,
        due_at=turn.clock.now(),
        agent_id=turn.agent.id,
        payload={
            "handle": turn.agent.handle,
            **about,
            **_silence(wording.silenced),
            "drafts": [draft.told() for draft in wording.drafts],
        },
    )
    return TurnOutcome(events=(told,))


def reasons_of(outcome: TurnOutcome) -> list[str]:
    """Return why a turn held a text back; nothing when it did not."""
    return [
        reason
        for event in outcome.events
        if event.type == HELD_BACK
        for draft in event.payload["drafts"]
        for reason in draft["findings"]
    ]


def silence_of(outcome: TurnOutcome) -> ModelBudgetError | None:
    """Return that a turn asked no model, for the budget is used up; None when it is not so."""
    for event in outcome.events:
        if event.type == HELD_BACK and "silenced" in event.payload:
            until = datetime.fromisoformat(event.payload["until"])
            return ModelBudgetError(event.payload["silenced"], resets_at=until)
    return None


def _silence(error: ModelBudgetError | None) -> dict[str, str]:
    if error is None:
        return {}
    return {"silenced": f"{error}", "until": error.resets_at.isoformat()}


def address(text: str, handle: str | None) -> str:
    """Return `text` with the handle in it, put in front when it is missing."""
    if handle is None or f"@{handle.lower()}" in text.lower():
        return text
    return shorten(f"@{handle} {text}", POST_CHARACTERS)


def _best(drafts: Sequence[Draft]) -> Draft | None:
    fit = [draft for draft in drafts if draft.may_leave]
    clean = [draft for draft in fit if not draft.findings]
    return max(clean or fit, key=lambda draft: draft.score.total, default=None)


def _options(turn: Turn) -> dict[str, Any]:
    wanted = turn.agent.config.llm
    return {
        "model": wanted.model,
        "system": turn.agent.system_prompt_at(turn.clock.now()),
        "temperature": TEMPERATURE if wanted.temperature is None else wanted.temperature,
        "max_tokens": wanted.max_tokens,
        "seed": turn.chance.getrandbits(31),
    }
