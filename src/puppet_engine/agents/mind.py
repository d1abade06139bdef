"""What an agent feels during one turn: read at its beginning, and kept with what it brings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from puppet_engine.agents import mood as moods, relationships as standing
from puppet_engine.core.minds import KnownMind, Tiding
from puppet_engine.core.models import AgentConfig, TurnOutcome
from puppet_engine.core.moods import Impulse, MoodChange, MoodState
from puppet_engine.core.relationships import Relationship


class Mind:
    """The mood and the relationships of an agent, as they are at one moment."""

    def __init__(self, config: AgentConfig, known: KnownMind, *, now: datetime) -> None:
        self._config = config
        self._range = config.personality.emotional_range
        self._now = now
        self.tidings: Sequence[Tiding] = known.tidings
        kept = known.mood or moods.at_rest(self._range, now)
        self.mood: MoodState = moods.faded(kept, self._range, now)
        self._changes: list[MoodChange] = []
        self._is_moved = False
        self._known = {each.handle: each for each in known.relationships}
        self._changed: dict[str, Relationship] = {}
        self._hear_of(known.tidings)

    # -------------------------------------------------------------- mood

    @property
    def changes(self) -> Sequence[MoodChange]:
        """What has moved the agent in this turn."""
        return self._changes

    @property
    def mood_name(self) -> str:
        """What the mood is called."""
        return moods.name_of(self.mood, self._range)

    @property
    def arousal(self) -> float:
        """How much more awake the agent is than usual, from -2 to 2."""
        return moods.arousal_from_rest(self.mood, self._range)

    @property
    def elation(self) -> float:
        """How much gladder the agent is than usual, from -2 to 2."""
        return self.mood.valence - self._range.baseline_valence

    @property
    def pace_factor(self) -> float:
        """By how much the mood stretches the time between two posts, from 0.5 to 2."""
        return moods.pace_factor(self.mood, self._range)

    def feel(self, impulse: Impulse, *, event: str, reason: str) -> None:
        """Be moved by something."""
        felt = moods.change(self.mood, self._range, impulse, event=event, reason=reason)
        self._changes.append(felt)
        self._become(felt.after)

    def note(self, **counts: int) -> None:
        """Keep a count of the mood's: `unanswered`, `heard`, `told`."""
        self._become(self.mood.model_copy(update=counts))

    def _become(self, mood: MoodState) -> None:
        self.mood, self._is_moved = mood, True

    def _hear_of(self, tidings: Sequence[Tiding]) -> None:
        for tiding in tidings:
            if tiding.number <= self.mood.heard:
                continue
            late = moods.faded_impulse(tiding.impulse, self._range, self._now - tiding.happened_at)
            self.feel(late, event=tiding.type, reason=f"heard of {tiding.type}")
            self.note(heard=tiding.number)

    # -------------------------------------------------------------- people

    def towards(self, handle: str) -> Relationship:
        """Return how the agent stands with somebody."""
        key = standing.key_of(handle)
        if key in self._changed:
            return self._changed[key]
        rest = standing.at_rest(self._config, key, self._now)
        return standing.faded(self._known.get(key, rest), rest, self._now)

    def heard(self, handle: str, valence: float, *, what: str) -> None:
        """Let what somebody said change how the agent stands with them."""
        self._stand(standing.after_hearing(self.towards(handle), valence, what=what))

    def spoke(self, handle: str, *, what: str) -> None:
        """Let what the agent says to somebody change how it stands with them."""
        self._stand(standing.after_speaking(self.towards(handle), what=what))

    def _stand(self, changed: Relationship) -> None:
        self._changed[changed.handle] = changed

    # -------------------------------------------------------------- what is kept

    def kept_with(self, outcome: TurnOutcome) -> TurnOutcome:
        """Return the outcome of a turn with what it has changed in the agent."""
        changed: dict[str, Any] = {}
        if self._is_moved:
            changed["mood"] = self.mood
            changed["mood_changes"] = tuple(self._changes)
        if self._changed:
            changed["relationships"] = tuple(self._changed.values())
        return outcome.model_copy(update=changed) if changed else outcome
