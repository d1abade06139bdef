"""Why a turn did what it did, as it is kept for those who ask."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from puppet_engine.agents.actions import Turn
from puppet_engine.agents.wording import Wording
from puppet_engine.core.decisions import Act, Decision, Recalled
from puppet_engine.core.relationships import Relationship


def decided(  # noqa: PLR0913 - one argument for each thing that somebody may ask for
    turn: Turn,
    *,
    occasion: str,
    acts: tuple[Act, ...],
    why: str,
    topic: str = "",
    relationship: Relationship | None = None,
    chances: Mapping[Act, float] | None = None,
    about: str = "",
    memories: Sequence[Recalled] = (),
    prompt: str = "",
    wording: Wording | None = None,
) -> Decision:
    """Return why the agent of a turn does what it does, in the mood it is in now."""
    drafts = () if wording is None else tuple(draft.told() for draft in wording.drafts)
    system = turn.agent.system_prompt_at(turn.clock.now()) if prompt else ""
    return Decision(
        occasion=occasion,
        acts=acts,
        why=why,
        topic=topic,
        mood=turn.mind.mood,
        mood_name=turn.mind.mood_name,
        relationship=relationship,
        chances=dict(chances or {}),
        about=about,
        memories=tuple(memories),
        prompt=prompt,
        system=sha256(system.encode()).hexdigest() if system else "",
        drafts=drafts,
        model=turn.completions[-1].model if turn.completions else "",
        input_tokens=sum(one.usage.input_tokens for one in turn.completions),
        output_tokens=sum(one.usage.output_tokens for one in turn.completions),
        cost=sum(one.cost for one in turn.completions),
    )
