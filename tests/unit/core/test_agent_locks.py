"""Locks of agents: one holder each, whoever else is held."""

import asyncio

from puppet_engine.core.agent_locks import LocalAgentLocks


async def test_who_comes_while_an_agent_is_held_waits_and_others_do_not() -> None:
    locks = LocalAgentLocks()
    seen: list[str] = []

    async def act(agent: str, name: str) -> None:
        async with locks.hold(agent):
            seen.append(name)

    async with locks.hold("ada"):
        waiting = asyncio.create_task(act("ada", "second"))
        await act("bob", "first")
        assert not waiting.done()
    await waiting

    assert seen == ["first", "second"]
