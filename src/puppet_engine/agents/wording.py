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
from puppet_engine.llm.base import POST_CHARACTERS, as_paragraph, shorten
from puppet_engine.personas.prompt import corrected, is_silence
from puppet_engine.style.findings import Check, Violation, violation
from puppet_engine.style.gate import Gate
from puppet_engine.style.repetition import marks_of
from puppet_engine.style.scorer import Score, score
from puppet_engine.style.threads import even_thread
from puppet_engine.style.weight import POST_WEIGHT

TRIES: Final = 4
"""How many drafts a model is asked for."""

TEMPERATURE: Final = 0.9

HELD_BACK: Final = "text.held_back"
"""The type of the event that tells what was not said, and why."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a text is to be, besides what every text must be."""

    mention: str | None = None
    """The handle that it names."""
    most_posts: int = 1
    """How many posts may tell it; one that is too long for that is no good."""
    may_be_silent: bool = False
    """Whether the model may answer that there is nothing to say."""
    must: Check | None = None
    """Finds what is wrong with it on this occasion."""


ONE_POST: Final = Wish()


@dataclass(frozen=True)
class Draft:
    """A text that a model proposed, and what is to be said of it."""

    text: str
    findings: tuple[Violation, ...]
    score: Score
    posts: tuple[str, ...]
    """The text, or the posts that tell it."""

    @property
    def may_leave(self) -> bool:
        """Whether it breaks no hard rule."""
        return not any(found.is_hard for found in self.findings)

    @property
    def only_repeats(self) -> bool:
        """Whether all that is wrong with it is that such a thing was said before."""
        hard = (found for found in self.findings if found.is_hard)
        return all(found.rule.startswith("repetition.") for found in hard)

    def told(self) -> dict[str, Any]:
        """Return what is kept of it for those who ask why; an unsafe text is not."""
        unsafe = any(found.rule.startswith("safety.") for found in self.findings)
        told: dict[str, Any] = {
            "text": "" if unsafe else self.text,
            "findings": [found.line() for found in self.findings],
            "score": round(self.score.total, 4),
        }
        return told | ({"posts": len(self.posts)} if len(self.posts) > 1 else {})


@dataclass(frozen=True)
class Wording:
    """What came of asking a model: a text that may leave, or none; and all of its drafts."""

    chosen: Draft | None
    drafts: tuple[Draft, ...]
    silenced: ModelBudgetError | None = None
    """Why no model is asked any more today, where that is so."""
    is_silence: bool = False
    """Whether the model chose to say nothing."""

    def wrong(self) -> list[str]:
        """Return what was found in all of the drafts, each finding once."""
        findings = (line for draft in self.drafts for line in draft.told()["findings"])
        return list(dict.fromkeys(findings))

    def checks(self) -> dict[str, Any]:
        """Return what goes with a text that leaves: how it was found."""
        found = [] if self.chosen is None else self.chosen.told()["findings"]
        return {"drafts": len(self.drafts), "findings": found}


async def worded(turn: Turn, prompt: str, said: Sequence[str], wish: Wish = ONE_POST) -> Wording:
    """Return a text for `prompt` that may leave, and is as one wishes.

    `said` is what the agent remembers to have said lately, newest first.

    Raises:
        LLMUnavailableError: no model answers.
        LLMRefusedError: the model refuses.

    """
    past = await turn.ledger.intents.past(turn.agent.id, limit=LOOKED_BACK)
    own = tuple(dict.fromkeys((*past.own, *said)))
    drafts: list[Draft] = []
    while len(drafts) < TRIES:
        wrong = [found.line() for found in drafts[-1].findings] if drafts else []
        try:
            posts = await _proposed(turn, corrected(prompt, wrong), wish)
        except ModelBudgetError as error:
            return Wording(chosen=_best(drafts, wish), drafts=tuple(drafts), silenced=error)
        if not posts:
            return Wording(chosen=None, drafts=tuple(drafts), is_silence=True)
        found = await _judged(turn, posts, wish, own=own, cast=past.cast)
        text = " ".join(posts)
        drafts.append(Draft(text, found, score(text, found, own=own), posts))
        if not found:
            break
    return Wording(chosen=_best(drafts, wish), drafts=tuple(drafts))


async def _proposed(turn: Turn, prompt: str, wish: Wish) -> tuple[str, ...]:
    """Return the posts that a model proposes; none when it has nothing to say, and may."""
    if wish.most_posts == 1:
        text = await turn.llm.generate_tweet(prompt, _options(turn))
    else:
        text = as_paragraph(await turn.llm.generate_content(prompt, _options(turn)))
    if wish.may_be_silent and is_silence(text):
        return ()
    text = address(text, wish.mention)
    if wish.most_posts == 1:
        return (text,)
    most = turn.agent.style_guide.formatting.max_characters or POST_WEIGHT
    return tuple(even_thread(text, limit=most))


async def _judged(
    turn: Turn, posts: Sequence[str], wish: Wish, *, own: Sequence[str], cast: Sequence[str]
) -> tuple[Violation, ...]:
    """Return all that is wrong with posts, each of which is held to every rule."""
    gate: Gate = turn.doors.of(turn.agent)
    found: list[Violation] = []
    for number, post in enumerate(posts, 1):
        ago = await turn.ledger.intents.alike(turn.agent.id, marks_of(post), limit=LOOKED_BACK)
        earlier = (*reversed(posts[: number - 1]), *own, *ago.own)
        wrong = gate.judge(post, own=earlier, cast=(*cast, *ago.cast))
        wrong += [] if wish.must is None else wish.must(post)
        where = f"post {number} of {len(posts)}: " if len(posts) > 1 else ""
        found += [each.model_copy(update={"reason": f"{where}{each.reason}"}) for each in wrong]
    if len(posts) > wish.most_posts:
        cure = f"tell it in {wish.most_posts} at the most"
        text = " ".join(posts)
        found.append(violation("thread.length", f"{len(posts)} posts", cure, text=text))
    return tuple(found)


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


def _best(drafts: Sequence[Draft], wish: Wish) -> Draft | None:
    fit = [draft for draft in drafts if draft.may_leave]
    clean = [draft for draft in fit if not draft.findings]
    if not fit and wish.must is not None:
        # What must be said is said again, if need be.
        fit = [draft for draft in drafts if draft.only_repeats]
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
