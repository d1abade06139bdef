import json
from pathlib import Path
from typing import Any

import pytest

from puppet_engine.core.errors import PersonaError
from puppet_engine.personas.importers import import_persona

ELIZA: dict[str, Any] = {
    "name": "Eliza Bot",
    "username": "@eliza_bot",
    "bio": ["A bot.", "Loves tea."],
    "lore": ["Born in a lab."],
    "adjectives": ["curious"],
    "topics": ["tea"],
    "style": {"all": ["Short."], "chat": ["Warm."], "post": ["no lists"]},
    "postExamples": ["Tea is hot."],
    "system": "You are {{agentName}}.",
    "knowledge": ["Water boils at 100 degrees.", {"path": "x.md"}],
    "plugins": ["x"],
    "settings": {"secrets": {"KEY": "open-sesame-1"}},
}
ZEREPY: dict[str, Any] = {
    "name": "Zéré",
    "bio": ["An agent.", "Thinks."],
    "traits": ["Curious"],
    "examples": ["Hello."],
    "loop_delay": 900,
    "config": [{"name": "twitter", "tweet_interval": 7200}, {"name": "openai", "model": "gpt-x"}],
    "tasks": [{"name": "reply-to-tweet", "weight": 1}, {"name": "like-tweet", "weight": 2}],
    "example_accounts": ["somebody"],
}


def written(tmp_path: Path, value: Any) -> Path:
    file = tmp_path / "character.json"
    file.write_text(json.dumps(value, indent=1), "utf-8")
    return file


def test_a_character_of_eliza_becomes_a_persona(tmp_path: Path) -> None:
    found = import_persona(written(tmp_path, ELIZA))

    persona = found.config
    assert (found.origin, persona.id, persona.handle) == ("eliza", "eliza-bot", "eliza_bot")
    assert persona.description == "A bot."
    assert persona.personality.background == "Loves tea. Born in a lab."
    assert persona.personality.traits == ["curious"]
    assert persona.personality.speaking_style == "Short."
    assert persona.style_guide.content_preferences == ["no lists"]
    assert persona.style_guide.example_posts == ["Tea is hot."]
    assert persona.rotating_system_prompts.prompts == ["You are Eliza Bot."]
    assert persona.initial_memory.knowledge == ["Water boils at 100 degrees."]
    assert found.left_out == ("knowledge[1]", "plugins", "settings", "style.chat")
    assert "open-sesame" not in persona.model_dump_json()


def test_the_lines_of_a_list_become_sentences(tmp_path: Path) -> None:
    lines = {"bio": ["A bot", 'Says "no"', "Asks why?", 'Said "Stop!"'], "lore": ["A mill"]}
    style = {"style": {"all": ["short words", "No lists."]}}
    persona = import_persona(written(tmp_path, {**ELIZA, **lines, **style})).config

    assert persona.personality.background == 'Says "no". Asks why? Said "Stop!" A mill.'
    assert persona.personality.speaking_style == "short words. No lists."


def test_an_agent_of_zerepy_becomes_a_persona(tmp_path: Path) -> None:
    found = import_persona(written(tmp_path, ZEREPY))

    persona = found.config
    assert (found.origin, persona.id, persona.name) == ("zerepy", "zere", "Zéré")
    assert persona.behavior.post_frequency.min_hours_between_posts == 2
    assert persona.behavior.post_frequency.max_hours_between_posts == 4
    assert persona.behavior.interaction_patterns.reply_probability == 0.5
    assert persona.behavior.interaction_patterns.like_probability == 1
    assert persona.llm.model == "gpt-x"
    assert found.left_out == ("example_accounts",)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "1:1: must be a mapping"),
        ({"name": "X"}, "1:1: of which engine is this"),
        ({**ELIZA, "topics": ["tea", 7]}, ": must be text (at topics.1)"),
        ({**ELIZA, "name": ""}, "(at name)"),
    ],
)
def test_what_cannot_be_imported_is_named_with_its_place(
    tmp_path: Path, value: Any, problem: str
) -> None:
    with pytest.raises(PersonaError) as caught:
        import_persona(written(tmp_path, value))

    assert problem in str(caught.value)
    assert "character.json:" in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "emojis", "hashtags"),
    [
        ("no hashtags", True, False),
        ("Never use emojis or hashtags", False, False),
        ("don't use hashtags, ever. Emojis are fine", True, False),
        ("avoid emoji", False, True),
        ("use emojis sparingly; no small talk", True, True),
        ("notable hashtags are welcome", True, True),
    ],
)
def test_what_the_style_of_eliza_forbids_in_words_is_forbidden(
    tmp_path: Path, rule: str, emojis: bool, hashtags: bool
) -> None:
    for key in ("all", "post"):
        style = {"all": ["Short."], "post": ["one thought"]} | {key: ["Short.", rule]}
        persona = import_persona(written(tmp_path, ELIZA | {"style": style})).config

        formatting = persona.style_guide.formatting
        assert (formatting.uses_emojis, formatting.uses_hashtags) == (emojis, hashtags)
