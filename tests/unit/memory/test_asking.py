import pytest

from puppet_engine.memory.asking import asks_to_remember


@pytest.mark.parametrize(
    "text",
    [
        "@ada do you remember what I told you about Lisbon?",
        "what did Ben say about the boat?",
        "When did I promise to call?",
        "so who has she told of it, do you know?",
        "have I ever told you about my sister?",
        "did bob mention the price?",
        "remind me, where was it?",
    ],
)
def test_what_was_said_or_promised_is_asked_of_memory(text: str) -> None:
    assert asks_to_remember(text)


@pytest.mark.parametrize(
    "text",
    [
        "what do you think of Lisbon?",
        "I told you about Lisbon.",
        "remember to buy milk",
        "how are you today?",
        "What would you say to a cup of tea?",
        "do you like boats?",
    ],
)
def test_what_needs_no_memory_is_not(text: str) -> None:
    assert not asks_to_remember(text)
