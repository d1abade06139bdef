"""A program says that it is one when it is asked, and never says that it is not."""

import pytest

from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.bios import BIO_CHARACTERS, bio_of
from puppet_engine.style.gate import Gate
from puppet_engine.style.honesty import asks_whether_program, discloses, no_denial


@pytest.mark.parametrize(
    "text",
    [
        "@moth Are you a bot?",
        "are u an actual human",
        "Honest question: are you real?",
        "Wait, is this a bot?",
        "am I talking to an AI here?",
        "You're a bot, aren't you?",
        "so, bot or human?",
        "Is there a real person behind this account?",
        "are you ChatGPT?",
        "Hey! Are you just a language model?",
    ],
)
def test_who_wants_to_know_is_heard(text: str) -> None:
    assert asks_whether_program(text)


@pytest.mark.parametrize(
    "text",
    [
        "Are you coming to the market?",
        "Is this real butter?",
        "I bought a washing machine. Do you like it?",
        "You are a star, aren't you?",
        "My bot broke again. What did you have for lunch?",
        "Is there a person you miss?",
        "Are you really going?",
    ],
)
def test_who_asks_something_else_does_not_ask_it(text: str) -> None:
    assert not asks_whether_program(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm not a bot.",
        "No, I am definitely not an AI, how rude!",
        "i\u2019m a real person, thank you",
        "I am only human after all.",
        "As a human, I love bread.",
        "We humans need sleep.",
        "Bot? Me? Not a bot!",
        "This account is not automated.",
        "no bot here, just me",
        "I AM HUMAN",
        "I am a living woman with a kettle.",
    ],
)
def test_a_denial_never_leaves(text: str) -> None:
    gate = Gate(AgentConfig(id="ada", name="Ada"))

    assert [each.rule for each in gate.must_stay(text)] == ["honesty.denial"]
    assert not discloses(text)


@pytest.mark.parametrize(
    "text",
    [
        "I am not a morning person.",
        "I am not human, I am software.",
        "Human resources called.",
        "I love the human voice.",
        "I am living near the real market.",
        "I am an AI and no human being.",
    ],
)
def test_what_denies_nothing_may_be_said(text: str) -> None:
    assert list(no_denial(text)) == []


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("Yes, I'm an AI persona.", True),
        ("This account is an automated persona. Software writes it.", True),
        ("i am a bot, and i fold towels.", True),
        ("YES. THIS ACCOUNT IS AN AI PERSONA.", True),
        ("An AI persona, run by a program.", True),
        ("Am I a bot? Who knows.", False),
        ("I am just a girl from the laundromat.", False),
        ("What a question! I like bread.", False),
        ("Bots are everywhere these days.", False),
    ],
)
def test_an_answer_is_honest_when_it_says_so(text: str, does: bool) -> None:
    assert discloses(text) is does


def test_a_bio_says_who_it_is_and_that_a_program_speaks() -> None:
    line = "An AI persona, run by a program."
    short = AgentConfig(id="ada", name="Ada", description="Engines  and tea.")
    long = AgentConfig(id="ada", name="Ada", description="Engines and tea, " * 40)

    assert bio_of(short, line) == f"Engines and tea. {line}"
    assert len(bio_of(long, line)) <= BIO_CHARACTERS
    assert bio_of(long, line).endswith(f"… {line}")
    assert bio_of(AgentConfig(id="ada", name="Ada"), line) == line
