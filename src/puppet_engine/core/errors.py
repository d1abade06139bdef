"""Every error the engine raises.

PuppetEngineError
├── ConfigurationError(ValueError)       what the operator wrote cannot be used
│   ├── PersonaError                     a persona file is broken: file:line:col
│   └── MissingCredentialError           a service was used without its keys
├── AgentNotFoundError(LookupError)
├── AgentExistsError(ValueError)
├── MemoryNotFoundError(LookupError)
├── QuarantinedNotFoundError(LookupError)
├── EventNotFoundError(LookupError)
├── DecisionNotFoundError(LookupError)
├── DecisionTidiedAwayError(LookupError) what it led to is kept, and it is not any more
├── BacklogFullError                     too much is due already; nothing of it was kept
├── FellBehindError                      who watches was too slow, and has to begin anew
├── EngineUnavailableError               what keeps the time of many machines does not answer
├── NothingToDoError                     an agent was asked to act, and saw no reason to
├── NotRunningError(RuntimeError)        used before startup or after shutdown
├── LLMError                             a language model gave no usable answer
│   ├── LLMUnavailableError              out of reach, or overloaded; try later
│   ├── LLMRefusedError                  it refused the request; trying again will not help
│   │   └── HeldBackError                all it wrote breaks the persona's rules
│   ├── UnusableAnswerError              not in the form asked for, nor when told again
│   ├── ModelBudgetError                 what an agent may use of models in a day is used up
│   └── RecordingError                   a call that is to be replayed was never recorded
├── NetworkError                         a social network did not do what was asked
│   ├── NetworkRefusedError              it said no: rules, rights, duplicate
│   │   └── RateLimitedError             it said not now, and until when
│   └── NetworkUnavailableError          no answer, so whether it happened is unknown
├── OutboxError                          what an agent wanted did not go out, and will not
│   ├── PolicyError                      a rule of the network or the operator forbids it
│   ├── BudgetExceededError              the agent's budget of the day is spent
│   ├── IntentExpiredError               it waited so long that it came too late
│   ├── BrokenThreadError                the post before it in its thread did not go out
│   └── GivenUpError                     it failed too often
├── CircuitOpenError                     a network fails for everybody: it is left alone a while
├── StorageError                         the database did not do what was asked; nothing was kept
└── TradeError                           a trade did not happen
    ├── TradingDisabledError
    ├── LimitExceededError               an operator's limit forbids it
    ├── SuspectOrderError                what was offered for signing is not what was asked
    └── ChainUnavailableError            no answer, so whether it happened is unknown
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from puppet_engine.core.model_usage import ModelUsage


class PuppetEngineError(Exception):
    """The root of every error of this package."""


class ConfigurationError(PuppetEngineError, ValueError):
    """What the operator wrote cannot be used."""


class PersonaError(ConfigurationError):
    """Persona files are broken. `problems` holds one `file:line:col: what is wrong` each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class MissingCredentialError(ConfigurationError):
    """A service was used without its keys."""

    def __init__(self, service: str, names: Iterable[str]) -> None:
        self.service = service
        self.names = tuple(names)
        listed = ", ".join(self.names)
        super().__init__(f"{service} cannot be used: set {listed}")


class AgentNotFoundError(PuppetEngineError, LookupError):
    """No agent has that id."""

    def __init__(self, agent_id: str, known: Iterable[str] = ()) -> None:
        self.agent_id = agent_id
        listed = ", ".join(sorted(known)) or "none"
        super().__init__(f"no agent {agent_id!r}; there are: {listed}")


class AgentExistsError(PuppetEngineError, ValueError):
    """An agent of that id or handle is already there."""

    def __init__(self, agent_id: str, *, handle: str | None = None) -> None:
        self.agent_id = agent_id
        taken = f"an agent {agent_id!r}" if handle is None else f"an agent called @{handle}"
        wanted = "id" if handle is None else "handle"
        super().__init__(f"{taken} exists already; choose another {wanted}")


class MemoryNotFoundError(PuppetEngineError, LookupError):
    """The agent has no memory of that id."""

    def __init__(self, agent_id: str, memory_id: str) -> None:
        self.agent_id = agent_id
        self.memory_id = memory_id
        super().__init__(f"agent {agent_id!r} has no memory {memory_id!r}")


class PersonNotFoundError(PuppetEngineError, LookupError):
    """Nobody here knows of such a person."""

    def __init__(self, handle: str) -> None:
        super().__init__(f"nothing here tells of @{handle}: there is nothing to forget")
        self.handle = handle


class QuarantinedNotFoundError(PuppetEngineError, LookupError):
    """Nothing of that id is in quarantine."""

    def __init__(self, quarantined_id: str) -> None:
        self.quarantined_id = quarantined_id
        super().__init__(
            f"nothing in quarantine has the id {quarantined_id!r}: "
            "`puppets memory quarantine` lists what is there"
        )


class EventNotFoundError(PuppetEngineError, LookupError):
    """No event of that id is what was asked for."""

    def __init__(self, event_id: str, wanted: str) -> None:
        self.event_id = event_id
        super().__init__(f"no {wanted} has the id {event_id!r}; list them to see which there are")


class DecisionNotFoundError(PuppetEngineError, LookupError):
    """No decision is kept that led to a post, an intent or out of an event of that id.

    What is older than the `oldest` that is kept was tidied away; None when none is kept at all.
    """

    def __init__(self, asked: str, *, oldest: datetime | None = None) -> None:
        self.asked = asked
        kept = "none is kept now" if oldest is None else f"the oldest kept is of {_day(oldest)}"
        super().__init__(
            f"no decision is kept for {asked!r}: give the id of a post or an intent of an agent, "
            f"or of an event that it took a turn for; {kept}, what was older has been tidied away "
            "(PUPPET_EVENT_RETENTION_DAYS)"
        )


class DecisionTidiedAwayError(PuppetEngineError, LookupError):
    """What an agent did is known still, but no more why: that was tidied away since."""

    def __init__(self, asked: str, *, agent_id: str, kind: str, at: datetime) -> None:
        self.asked = asked
        super().__init__(
            f"why {agent_id} wanted the {kind} {asked!r} on {_day(at)} was tidied away since: "
            "decisions are kept for PUPPET_EVENT_RETENTION_DAYS"
        )


class BacklogFullError(PuppetEngineError):
    """So much waits already that no more is taken; nothing of what was given was kept."""

    def __init__(self, *, waiting: int, more: int, bound: int) -> None:
        self.waiting = waiting
        self.bound = bound
        super().__init__(
            f"{waiting:,} events wait, and with {more:,} more there were over {bound:,}: "
            "publish again when some of them are over, or raise the bound"
        )


class FellBehindError(PuppetEngineError):
    """Who watches was so slow that events had to be left out; open another view, and catch up."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        super().__init__(
            f"more than {bound:,} events came while none was read: "
            "open another view, and ask for the history between"
        )


class EngineUnavailableError(PuppetEngineError):
    """What keeps the time of many machines does not answer; what was to be kept is kept."""


class NothingToDoError(PuppetEngineError):
    """An agent was asked to act, looked around, and saw no reason to."""

    def __init__(self, agent_id: str, what: str) -> None:
        super().__init__(f"{agent_id!r} sees no reason for {what} now; ask again later")


class NotRunningError(PuppetEngineError, RuntimeError):
    """A part was used before it was started, or after it was stopped."""

    def __init__(self, part: str, cure: str) -> None:
        super().__init__(f"{part} is not running: {cure}")


class LLMError(PuppetEngineError):
    """A language model gave no usable answer."""

    def __init__(
        self, message: str, *, usage: ModelUsage | None = None, may_be_billed: bool = False
    ) -> None:
        self.usage = usage
        """What the call used all the same, where the server said so."""
        self.may_be_billed = may_be_billed
        """Whether nobody here can know if the call is paid for: the answer was lost on its way."""
        super().__init__(message)


class LLMUnavailableError(LLMError):
    """The model is out of reach or overloaded; the same call may work later."""

    def __init__(
        self,
        message: str,
        *,
        usage: ModelUsage | None = None,
        may_be_billed: bool = False,
        retry_after: float | None = None,
    ) -> None:
        self.retry_after = retry_after
        """In how many seconds the server wants to be asked again, where it said so."""
        super().__init__(message, usage=usage, may_be_billed=may_be_billed)


class LLMRefusedError(LLMError):
    """The model refused the request; sending it again will not help."""


class HeldBackError(LLMRefusedError):
    """Nothing that the model wrote may leave; `reasons` holds what was wrong with each draft."""

    def __init__(self, agent_id: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        listed = "\n".join(f"  {reason}" for reason in self.reasons)
        super().__init__(
            f"{agent_id!r} says nothing: no draft of the model keeps the rules, which are those "
            f"of its style guide, of novelty and of safety\n{listed}"
        )


class UnusableAnswerError(LLMError):
    """What the model answered is not in the form that was asked for, also not when told so."""


class ModelBudgetError(LLMError):
    """What an agent may use of language models in a day is used up; nothing was asked."""

    def __init__(self, message: str, *, resets_at: datetime) -> None:
        self.resets_at = resets_at
        super().__init__(message)


class RecordingError(LLMError):
    """A call that is to be replayed is not in the recording, or that cannot be read."""


class NetworkError(PuppetEngineError):
    """A social network did not do what was asked."""


class NetworkRefusedError(NetworkError):
    """The network said no; nothing was published."""


class RateLimitedError(NetworkRefusedError):
    """The network said not now; nothing was published."""

    def __init__(self, network: str, *, resets_at: datetime) -> None:
        self.resets_at = resets_at
        super().__init__(f"{network} takes no more of these until {resets_at.isoformat()}")


class NetworkUnavailableError(NetworkError):
    """The network gave no answer, so whether it acted is unknown until it is looked up."""

    def __init__(self, message: str, *, retry_at: datetime | None = None) -> None:
        self.retry_at = retry_at
        """When the network wants to be asked again, where it said so."""
        super().__init__(message)


class OutboxError(PuppetEngineError):
    """What an agent wanted did not go out, and will not."""


class PolicyError(OutboxError):
    """A rule forbids it; nothing was sent."""


class BudgetExceededError(OutboxError):
    """The agent's budget of the day is spent; nothing was sent."""


class IntentExpiredError(OutboxError):
    """It waited so long that it came too late; nothing was sent."""


class BrokenThreadError(OutboxError):
    """The post under which it was to go on did not go out; nothing was sent."""


class GivenUpError(OutboxError):
    """It failed too often, and was looked up after each attempt: nothing came of any."""


class CircuitOpenError(PuppetEngineError):
    """A network fails for everybody, and is left alone for a while; what waits goes out later."""

    def __init__(self, network: str, *, resets_at: datetime) -> None:
        self.resets_at = resets_at
        super().__init__(
            f"{network} failed many times in a row: it is left alone until {resets_at.isoformat()}"
        )


class StorageError(PuppetEngineError):
    """The database did not do what was asked; nothing of it was kept."""


class OutdatedDatabaseError(StorageError):
    """The tables were made by another version; nothing in them was touched."""


class TradeError(PuppetEngineError):
    """A trade did not happen."""


class TradingDisabledError(TradeError):
    """Trading is not enabled for this agent, or not allowed on this chain."""


class LimitExceededError(TradeError):
    """An operator's limit forbids the trade; nothing was signed."""


class SuspectOrderError(TradeError):
    """A transaction offered for signing does not do what was asked; nothing was signed."""


class ChainUnavailableError(TradeError):
    """The chain gave no answer, so whether it acted is unknown until it is looked up."""


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
