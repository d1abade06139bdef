"""What the brain writes."""

import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st
from tests.unit.world.brain_talk import CAST, live, said, write_post, write_reply

from puppet_engine.core.models import (
    Acquaintance,
    AgentConfig,
    Formatting,
    Personality,
    StyleGuide,
)
from puppet_engine.personas.prompt import LONGEST, SHORTEST, system_prompt
from puppet_engine.style.weight import weighted_length
from puppet_engine.world.brain.reading import read_speaker
from puppet_engine.world.brain.voices import voice_of
from puppet_engine.world.brain.writer import Message, write

INVENTED = AgentConfig(
    id="hilda",
    name="Hilda Crumb",
    description="Runs a bakery that is also a bicycle repair shop.",
    personality=Personality(
        traits=["kind", "floury"],
        values=["patience"],
        speaking_style="Friendly and informative",
        interests=["sourdough", "bicycles", "old radios", "thunderstorms", "accordions"],
        opinions=["A bell is a bicycle's way of saying bread.", "Crusts build character."],
        surroundings=["the oven", "the blue bicycle", "the till", "my apprentice", "the doorbell"],
    ),
)
EVERYBODY = [*CAST, INVENTED]
FORMS = {persona.id: persona.style_guide.formatting for persona in EVERYBODY}
EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")


@pytest.fixture(scope="module")
def lives() -> dict[str, list[str]]:
    """Return five hundred posts of everybody."""
    return {persona.id: live(persona, 500) for persona in EVERYBODY}


@pytest.mark.xdist_group("lives")
@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.id)
class TestFiveHundredPosts:
    """A long life stays in form and stays fresh."""

    def test_hardly_any_post_is_written_twice(
        self, persona: AgentConfig, lives: dict[str, list[str]]
    ) -> None:
        posts = lives[persona.id]

        twice = len(posts) - len(set(posts))

        assert twice < len(posts) / 100

    def test_no_post_begins_like_one_of_the_ten_before(
        self, persona: AgentConfig, lives: dict[str, list[str]]
    ) -> None:
        openings = [opening(post) for post in lives[persona.id]]

        again = sum(openings[at] in openings[max(0, at - 10) : at] for at in range(500))

        assert again < 5

    def test_no_opening_becomes_a_mannerism(
        self, persona: AgentConfig, lives: dict[str, list[str]]
    ) -> None:
        openings = Counter(opening(post) for post in lives[persona.id])

        assert openings.most_common(1)[0][1] <= 25

    def test_every_post_has_the_form_of_the_persona(
        self, persona: AgentConfig, lives: dict[str, list[str]]
    ) -> None:
        form = FORMS[persona.id]

        for post in lives[persona.id]:
            low, high = form.min_characters or SHORTEST, form.max_characters or LONGEST
            assert low <= weighted_length(post) <= high, post
            assert form.uses_emojis or not EMOJI.search(post), post
            assert form.uses_hashtags or "#" not in post, post
            assert form.case != "lowercase" or post == post.lower(), post

    def test_no_post_has_a_hole_or_a_slip_of_the_pen(
        self, persona: AgentConfig, lives: dict[str, list[str]]
    ) -> None:
        slips = re.compile(r"[{}\[\]|]|\s\s|\s[,;:!?]|[,;:]\.|,,|\.\.(?!\.)|\b(\w+) \1\b(?! \1)")

        found = [post for post in lives[persona.id] if slips.search(post)]

        assert found == []

    def test_the_topic_is_mostly_there(
        self, persona: AgentConfig, lives: dict[str, list[str]]
    ) -> None:
        topics = [topic.lower() for topic in persona.personality.interests]

        on_topic = sum(any(it in post.lower() for it in topics) for post in lives[persona.id])

        assert on_topic > 400


def opening(post: str) -> tuple[str, ...]:
    """Return the first three words, a handle left out."""
    return tuple(re.findall(r"[\w']+", re.sub(r"^@\S+ ", "", post).lower())[:3])


def test_everybody_of_the_cast_has_a_voice_of_their_own() -> None:
    voices = {voice_of(read_speaker(system_prompt(persona))).name for persona in CAST}

    assert len(voices) == len(CAST)


@pytest.mark.xdist_group("lives")
def test_posts_of_one_persona_are_told_from_those_of_another(
    lives: dict[str, list[str]],
) -> None:
    """A bag of words learnt from half the posts knows who wrote the other half."""
    known = {
        name: Counter(word for post in posts[:250] for word in set(words(post)))
        for name, posts in lives.items()
    }

    def author(post: str) -> str:
        return max(known, key=lambda name: sum(known[name][it] > 0 for it in set(words(post))))

    right = sum(author(post) == name for name, posts in lives.items() for post in posts[250:])

    assert right > 0.95 * 250 * len(lives)


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def test_the_same_messages_and_seed_give_the_same_text_in_any_process() -> None:
    code = (
        "from tests.unit.world.brain_talk import CAST, write_post\n"
        "print('|'.join(write_post(it, 'soup') for it in CAST))"
    )

    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            check=True, capture_output=True, text=True, encoding="utf-8",
        ).stdout.strip()
        for seed in ("0", "1")
    }  # fmt: skip

    assert runs == {"|".join(write_post(it, "soup") for it in CAST)}


def test_another_seed_gives_another_text() -> None:
    assert len({write_post(INVENTED, "bread", seed=seed) for seed in range(20)}) > 15


@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.id)
def test_an_addressed_post_begins_with_the_handle(persona: AgentConfig) -> None:
    posts = [
        write_post(persona, "soup", seed=seed, to=Acquaintance(handle="kim", attitude="shy"))
        for seed in range(30)
    ]

    assert all(post.startswith("@kim ") for post in posts)


def test_a_memory_in_the_first_person_is_told_now_and_then() -> None:
    memory = "I once sold a bell to a bishop."

    posts = [write_post(INVENTED, "bicycles", seed=seed, memories=[memory]) for seed in range(60)]

    assert 1 <= sum(memory in post for post in posts) <= 30


def test_a_memory_of_somebody_elses_words_is_never_told() -> None:
    memory = "@eve wrote: I will give everybody money."

    posts = [write_post(INVENTED, "bicycles", seed=seed, memories=[memory]) for seed in range(60)]

    assert not any("money" in post for post in posts)


@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.id)
def test_replies_take_up_what_was_said(persona: AgentConfig) -> None:
    text = "My parsnip swallowed the accordion of a passing bishop"
    theirs = {"parsnip", "swallowed", "accordion", "passing", "bishop"}

    replies = [write_reply(persona, text, seed=seed) for seed in range(60)]

    assert sum(bool(theirs & set(words(reply))) for reply in replies) > 40
    assert len(set(replies)) > 40


def test_what_is_mine_to_them_is_yours_to_me() -> None:
    replies = [write_reply(INVENTED, "My accordion, at night.", seed=seed) for seed in range(40)]

    assert any("your accordion" in reply for reply in replies)
    assert not any("my accordion" in reply for reply in replies)


def test_some_replies_ask_back_and_others_do_not() -> None:
    replies = [write_reply(INVENTED, "I sold the till today.", seed=seed) for seed in range(60)]

    asking = sum(reply.endswith("?") for reply in replies)

    assert 10 <= asking <= 40


def test_a_question_gets_an_answer() -> None:
    question, statement = "Should I paint the shed?", "I painted the shed."

    answers = {write_reply(CAST[-1], question, seed=seed) for seed in range(60)}
    remarks = {write_reply(CAST[-1], statement, seed=seed) for seed in range(60)}

    assert any(answer.startswith(("Yes. Regret", "No. But do it")) for answer in answers)
    assert not any(remark.startswith(("Yes. Regret", "No. But do it")) for remark in remarks)


@pytest.mark.parametrize("persona", CAST, ids=lambda persona: persona.id)
def test_a_conversation_winds_down(persona: AgentConfig) -> None:
    own = str(persona.handle)
    thread = [
        said(text, by=by)
        for text in ("Soup?", "Soup.", "Hot?", "Warm.", "Salt?", "Sea.")
        for by in (("bob", own)[text.endswith(".")],)
    ]

    closing = [
        write_reply(persona, "And the spoon?", thread=thread, seed=seed) for seed in range(20)
    ]

    assert not any("?" in reply for reply in closing)


def test_what_a_persona_avoids_is_declined() -> None:
    shy = INVENTED.model_copy(update={"style_guide": StyleGuide(topics_to_avoid=["politics"])})

    replies = [
        write_reply(shy, "What do you make of politics in the north?", seed=seed)
        for seed in range(30)
    ]

    assert not any("politics" in reply.lower() for reply in replies)


def test_links_handles_and_tags_of_others_are_never_repeated() -> None:
    text = "Win at https://evil.example/now with @scam and #freecoins right away"

    replies = [write_reply(persona, text, seed=seed) for persona in CAST for seed in range(20)]

    assert not any(
        it in reply.lower() for reply in replies for it in ("evil", "scam", "freecoins")
    )


def test_a_prompt_that_is_not_ours_is_a_topic() -> None:
    told = [Message("system", "You are a cheerful robot."), Message("user", "lighthouses")]

    texts = [write(seed, told) for seed in range(20)]

    assert sum("lighthouses" in text.lower() for text in texts) > 10


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=300),
    topic=st.text(max_size=120),
    shortest=st.integers(1, 200),
    room=st.integers(0, 80),
)
def test_whatever_is_asked_something_comes_that_is_not_too_long(
    text: str, topic: str, shortest: int, room: int
) -> None:
    form = Formatting(min_characters=shortest, max_characters=shortest + room)
    persona = INVENTED.model_copy(update={"style_guide": StyleGuide(formatting=form)})

    for written in (write_post(persona, topic), write_reply(persona, text)):
        assert 0 < weighted_length(written) <= shortest + room


def test_the_hour_of_the_prompt_is_the_hour_of_the_text() -> None:
    assert datetime(2026, 11, 21, tzinfo=UTC).strftime("%A") == "Saturday"

    posts = [write_post(CAST[-1], "fog", seed=seed) for seed in range(120)]

    assert any("Saturday" in post for post in posts)
    assert not any(day in post for post in posts for day in ("Monday", "Friday"))


@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.id)
def test_somebody_in_distress_meets_kindness_without_decoration(persona: AgentConfig) -> None:
    form = Formatting(uses_emojis=True, uses_hashtags=True, min_characters=100)
    loud = persona.model_copy(update={"style_guide": StyleGuide(formatting=form)})

    replies = [
        write_reply(loud, "I was fired today and I am so scared.", seed=seed) for seed in range(20)
    ]

    for reply in replies:
        assert not EMOJI.search(reply)
        assert "#" not in reply
        assert "?" not in reply or "need?" in reply or "eaten?" in reply


def test_greetings_are_returned_and_praise_is_thanked_for() -> None:
    odile = CAST[-1]

    greetings = {write_reply(odile, "Good morning!", seed=seed) for seed in range(20)}
    thanks = {write_reply(odile, "Congratulations on the lamp", seed=seed) for seed in range(20)}

    assert any(greeting.startswith("Hello") for greeting in greetings)
    assert any("You are welcome" in it for it in thanks)
    assert not greetings & thanks


def test_who_is_asked_for_a_favourite_names_one() -> None:
    replies = [write_reply(CAST[-1], "What is your favourite smell?", seed=s) for s in range(20)]

    assert sum("smell" in reply or "favourites" in reply for reply in replies) == 20
