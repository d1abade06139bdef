import pytest
from hypothesis import given, strategies as st

from puppet_engine.style.threads import sentences, split_thread
from puppet_engine.style.weight import weighted_length

TEXTS = st.lists(
    st.sampled_from(
        [
            "One.",
            "Two!",
            "three",
            "https://a.example.com/x",
            "👨\u200d👩\u200d👧",
            "の",
            "\n",
            "y" * 40,
        ]
    )
    | st.text(max_size=12)
).map(" ".join)


def bare(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.integers(2, 60))
def test_splitting_loses_nothing_and_no_post_is_too_long(text: str, limit: int) -> None:
    posts = split_thread(text, limit=limit)

    assert bare("".join(posts)) == bare(text)
    assert all(0 < weighted_length(post) <= limit for post in posts)
    assert all(post == post.strip() for post in posts)


def test_a_text_that_fits_is_one_post_as_it_is() -> None:
    assert split_thread("Fog.  It came.\nIt went.") == ["Fog.  It came.\nIt went."]


def test_a_thread_is_cut_where_sentences_end() -> None:
    posts = split_thread("One two three. Four five. Six seven eight nine!", limit=28)

    assert posts == ["One two three. Four five.", "Six seven eight nine!"]


def test_a_sentence_too_long_is_cut_between_words_and_a_word_between_letters() -> None:
    assert split_thread("aaa bbb ccc ddd.", limit=8) == ["aaa bbb", "ccc ddd."]
    assert split_thread("abcdefgh", limit=3) == ["abc", "def", "gh"]
    assert (
        split_thread("👨\u200d👩\u200d👧👨\u200d👩\u200d👧", limit=2) == ["👨\u200d👩\u200d👧"] * 2
    )


def test_nothing_makes_no_post_and_no_limit_is_refused() -> None:
    assert split_thread(" \n ") == []
    with pytest.raises(ValueError, match="give a limit of 2 or more"):
        split_thread("a", limit=1)


def test_sentences_end_at_marks_and_lines() -> None:
    assert sentences("He said 'no.' Then left… Did he? yes\nnew line") == [
        "He said 'no.'", "Then left…", "Did he?", "yes", "new line",
    ]  # fmt: skip
