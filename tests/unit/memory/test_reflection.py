from datetime import UTC, datetime

from puppet_engine.core.ids import AgentId, MemoryId
from puppet_engine.core.models import MemoryType, StoredMemory
from puppet_engine.core.provenance import LinkKind, Trust, trust_of
from puppet_engine.memory.reflection import beliefs

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def heard(number: int, text: str, *, who: str = "mira", source: str = "network") -> StoredMemory:
    return StoredMemory(
        id=MemoryId(f"m{number}"),
        agent_id=AgentId("ada"),
        content=f"@{who} said to me: {text}",
        type=MemoryType.INTERACTION,
        metadata={"speaker": who, "source": source},
        created_at=NOW,
    )


SAID = (
    "The harbour was full of gulls",
    "I painted the harbours again",
    "Bread, and then the harbour",
    "Nothing else today",
)


def test_what_somebody_comes_back_to_is_a_belief_that_cites_what_they_said() -> None:
    (belief,) = beliefs([heard(n, text) for n, text in enumerate(SAID)], known=(), now=NOW)

    assert belief.content == "@mira keeps coming back to harbour."
    assert {(link.kind, link.to) for link in belief.links} == {
        (LinkKind.CITES, f"m{number}") for number in range(3)
    }
    assert trust_of(belief.metadata) is Trust.DERIVED


def test_what_is_believed_already_does_not_come_again() -> None:
    said = [heard(n, text) for n, text in enumerate(SAID)]
    (belief,) = beliefs(said, known=(), now=NOW)

    assert beliefs(said, known={belief.content}, now=NOW) == []


def test_of_who_says_little_or_only_oneself_nothing_is_believed() -> None:
    assert beliefs([heard(n, text) for n, text in enumerate(SAID[:2])], known=(), now=NOW) == []
    mine = [heard(n, text, who="ada", source="self") for n, text in enumerate(SAID)]
    assert beliefs(mine, known=(), now=NOW) == []


def test_to_whom_something_is_said_is_no_theme_of_it() -> None:
    said = [heard(n, f"@ada_lovelace ({n}) what a harbour, see t.co/ada") for n in range(3)]
    (belief,) = beliefs(said, known=(), now=NOW)

    assert belief.content == "@mira keeps coming back to harbour."
