from hypothesis import given, strategies as st

from puppet_engine.memory.words import Matching, initialisms, searched, words

text = st.text(alphabet="ab cd", max_size=30)


def matches(texts: list[str], query: str) -> list[float]:
    wanted = words(query)
    return Matching(texts, wanted).shares(wanted)


def test_initialisms_are_of_neighbouring_words() -> None:
    assert "ai" in initialisms("all artificial intelligence")
    assert "aa" in initialisms("all artificial intelligence")
    assert "al" not in initialisms("all artificial intelligence")


def test_an_abbreviation_is_searched_for_with_what_it_stands_for() -> None:
    assert searched("artificial intelligence").split() == ["artificial", "intelligence", "ai"]


def test_words_that_any_question_has_are_not_searched_for() -> None:
    assert searched("What is the name of the dog that Mira has?") == "name dog mira"
    assert searched("what is it that you would have done to us") == "done"
    assert (
        searched("who was that and why is it so to you") == "who was that and why is it so to you"
    )


def test_rare_words_weigh_more_than_common_ones() -> None:
    texts = [*(f"the cat number {number}" for number in range(20)), "an axolotl lives here"]

    assert matches(texts, "the axolotl")[-1] == 1


def test_what_shares_no_word_matches_nothing() -> None:
    assert matches(["tea", "coffee"], "rain") == [0, 0]
    assert matches([], "rain") == []


@given(st.lists(text, max_size=8), text)
def test_a_match_is_a_share_of_the_best(texts: list[str], query: str) -> None:
    found = matches(texts, query)

    assert all(0 <= share <= 1 for share in found)
    assert max(found, default=0) in (0, 1)


@given(st.lists(text, min_size=1, max_size=8), text)
def test_a_match_does_not_depend_on_the_order_of_the_texts(texts: list[str], query: str) -> None:
    there = matches(texts, query)

    assert matches(texts[::-1], query) == there[::-1]


@given(st.lists(st.text(alphabet="Ab'\0é d\n", max_size=12), max_size=6), text)
def test_what_matches_has_one_of_the_words_whatever_stands_beside_it(
    texts: list[str], query: str
) -> None:
    wanted = set(words(query))

    found = [share > 0 for share in matches(texts, query)]

    assert found == [not wanted.isdisjoint(words(one)) for one in texts]


def test_words_that_a_text_lends_count_for_another() -> None:
    wanted = words("dogs")
    told = Matching(["What is the dog called?", "Biscuit", "It rains"], wanted)

    assert told.shares(wanted)[1] == 0
    assert told.shares(wanted, {0: [1]})[1] > 0.9
    assert told.shares(wanted, {0: [1]})[2] == 0


def test_whose_something_is_is_searched_for_without_its_ending() -> None:
    assert searched("What is Mira's new dog called, by the way?") == "mira new dog called way"
