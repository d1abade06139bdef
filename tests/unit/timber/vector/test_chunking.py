"""Texts are cut where it hurts least, and nothing of them is lost."""

from hypothesis import given, strategies as st

from timber.common.vector.chunking import Budget, budget_of, chunks_of

WORDS = Budget(12, lambda text: len(text.split()) or 1)
SIGNS = Budget(20)
TEXTS = st.text(alphabet="ab .!?\n`#{}:;é字。\t", max_size=300)


@given(TEXTS, st.integers(1, 40))
def test_the_pieces_joined_are_the_text(text: str, limit: int) -> None:
    pieces = chunks_of(text, Budget(limit))

    assert "".join(pieces) == (text if text.strip() else "")
    assert all(piece.strip() for piece in pieces)


@given(TEXTS, st.integers(1, 40))
def test_no_piece_is_longer_than_it_may_be_but_for_blank_space(text: str, limit: int) -> None:
    for piece in chunks_of(text, Budget(limit)):
        assert len(piece.strip()) <= limit


def test_a_short_text_is_one_piece() -> None:
    assert chunks_of("one. two.", WORDS) == ["one. two."]


def test_prose_is_cut_between_sentences() -> None:
    text = "Here are five words, indeed. And here are another six words. Then the end comes."

    pieces = chunks_of(text, WORDS)

    assert [piece.strip() for piece in pieces] == [
        "Here are five words, indeed. And here are another six words.",
        "Then the end comes.",
    ]


def test_paragraphs_are_kept_together_before_sentences_are() -> None:
    text = (
        "One two three. Four five six seven.\n\nEight nine ten. Eleven twelve thirteen fourteen."
    )

    assert chunks_of(text, WORDS) == [
        "One two three. Four five six seven.\n\n",
        "Eight nine ten. Eleven twelve thirteen fourteen.",
    ]


def test_code_is_cut_before_definitions_and_between_lines() -> None:
    one = "def one():\n    first = 1\n    return first\n"
    code = one + "def two():\n    second = 2\n    return second\n"

    pieces = chunks_of(code, Budget(50))

    assert [piece.splitlines()[0] for piece in pieces] == ["def one():", "def two():"]
    assert all(piece.endswith("\n") for piece in chunks_of(code, Budget(25)))


def test_a_block_of_code_is_not_cut_at_its_blank_lines_if_it_fits() -> None:
    text = "Some words before.\n\n```\na = 1\n\nb = 2\n```\n\nSome words after it all."

    pieces = chunks_of(text, Budget(30))

    assert any("a = 1\n\nb = 2" in piece for piece in pieces)


def test_an_embedder_says_how_much_it_reads() -> None:
    class Reading:
        max_tokens = 7

        def count_tokens(self, text: str) -> int:
            return len(text.split())

    assert budget_of(Reading()).limit == 7
    assert budget_of(Reading()).measure("two words") == 2
    assert budget_of(Reading()).capped(3).limit == 3
    assert budget_of(object()).measure("x" * 1000) <= budget_of(object()).limit
