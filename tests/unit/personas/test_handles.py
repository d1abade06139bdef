"""Account names."""

from hypothesis import given, strategies as st

from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.handles import handle_from_id, handle_of


def test_a_persona_keeps_the_handle_it_names() -> None:
    assert handle_of(AgentConfig(id="ada", name="Ada", handle="ada_b")) == "ada_b"


def test_a_persona_without_a_handle_gets_one_from_its_id() -> None:
    assert handle_of(AgentConfig(id="test-agent", name="Test")) == "test_agent"


def test_long_ids_that_begin_alike_get_different_handles() -> None:
    one, other = handle_from_id("performance-agent-1"), handle_from_id("performance-agent-2")

    assert one != other
    assert one.startswith("performanc")


@given(agent_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True))
def test_every_id_makes_a_handle_that_a_persona_may_have(agent_id: str) -> None:
    AgentConfig(id="x", name="X", handle=handle_from_id(agent_id))
