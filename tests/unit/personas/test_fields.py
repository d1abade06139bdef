"""What the fields of a persona do, beyond being read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.first_day import first_memories
from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.differences import differences
from puppet_engine.personas.prompt import Section, system_prompt

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def persona(**more: Any) -> AgentConfig:
    return AgentConfig.model_validate({"id": "ada", "name": "Ada", **more})


def test_rotating_prompts_take_turns() -> None:
    told = persona(rotating_system_prompts={"prompts": ["One.", "Two."], "every_hours": 6})
    agent = Agent(told)

    now, later, again = (agent.system_prompt_at(NOON + timedelta(hours=it)) for it in (0, 6, 12))

    assert {Section.LATELY in it for it in (now, later)} == {True}
    assert ("One." in now) is not ("One." in later)
    assert now == again
    assert Section.LATELY not in agent.system_prompt


def test_rotating_prompts_by_chance_are_the_same_at_the_same_moment() -> None:
    prompts = {"prompts": list("abcdefgh"), "every_hours": 1, "order": "by_chance"}
    agent = Agent(persona(rotating_system_prompts=prompts))

    moments = [NOON + timedelta(hours=hour) for hour in range(40)]
    told = [agent.system_prompt_at(moment) for moment in moments]

    assert told == [agent.system_prompt_at(moment) for moment in moments]
    assert len(set(told)) > 4


def test_the_rules_of_a_style_guide_are_told_to_the_model() -> None:
    guide = {
        "content_preferences": ["small things"],
        "formatting": {"uses_emojis": True, "max_emojis": 2, "emoji_rate": 0.5,
                       "capitalization": "uppercase",
                       "punctuation": {"forbidden": ["!"], "endings": ["."]}},
        "language_constraints": {"banned_words": ["hack"], "scripts": ["latin"]},
    }  # fmt: skip

    prompt = system_prompt(persona(style_guide=guide, personality={"emotional_range": ["calm"]}))

    for line in (
        "small things", "calm", "Not more than 2 emojis.", "Emojis: yes, in 50% of your posts.",
        "Case: capitals only.", "These marks never occur: !", "These words are never used: hack",
        "The last sentence ends in one of: .", "All letters are latin.",
    ):  # fmt: skip
        assert f"- {line}" in prompt.splitlines()


def test_knowledge_is_remembered_from_the_first_day() -> None:
    (memory,) = first_memories(persona(initial_memory={"knowledge": ["Tea is hot."]}))

    assert memory.content == "Tea is hot."


@pytest.mark.parametrize(
    "broken",
    [
        {"style_guide": {"formatting": {"min_characters": 9, "max_characters": 8}}},
        {"style_guide": {"formatting": {"emoji_rate": 0.5}}},
        {"style_guide": {"formatting": {"lowercase": True, "capitalization": "uppercase"}}},
        {
            "style_guide": {
                "formatting": {"length": {"lower_quartile": 9, "median": 8, "upper_quartile": 10}}
            }
        },
        {"behavior": {"response_times": {"min_minutes": 9, "max_minutes": 8}}},
        {"style_guide": {"language_constraints": {"scripts": ["klingon"]}}},
    ],
)
def test_what_contradicts_itself_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        persona(**broken)


def test_differences_are_told_by_value() -> None:
    old = {"a": {"b": 1, "l": ["x", "y"]}, "gone": {"c": 2}}
    new = {"a": {"b": 2, "l": ["y", "z"]}, "o": [1]}

    assert differences(old, new) == [
        "- a.b: 1", "+ a.b: 2", '- a.l: "x"', '+ a.l: "z"', "- gone.c: 2", "+ o: 1",
    ]  # fmt: skip
    assert differences({"l": [1, 2]}, {"l": [2, 1]}) == ["~ l: the same in another order"]
    assert differences(old, old) == []
