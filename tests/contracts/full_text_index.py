"""What every index of words promises; a subclass gives the `shelf` and the `index` over it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from tests.contracts.vector_shelf import NEWS, Piece, Shelf

from timber.common.errors import InvalidRequestError
from timber.common.vector.base import FullTextIndex, Hit, Scope
from timber.common.vector.steps import taken
from timber.common.vector.words import spaced


class FullTextIndexContract(ABC):
    """The promises."""

    @pytest.fixture
    @abstractmethod
    def shelf(self) -> Shelf:
        """Give an empty database."""

    @pytest.fixture
    @abstractmethod
    def index(self, shelf: Shelf) -> FullTextIndex:
        """Give the index over it."""

    def test_texts_with_a_word_of_the_query_are_found(
        self, shelf: Shelf, index: FullTextIndex
    ) -> None:
        fox, _, dog = put(shelf, "The quick fox", "Nothing at all", "A lazy dog sleeps")

        assert set(ids(found(shelf, index, "fox dog"))) == {fox, dog}

    def test_the_text_with_more_of_the_words_comes_first(
        self, shelf: Shelf, index: FullTextIndex
    ) -> None:
        put(shelf, *(f"Weather report {number} of the harbour" for number in range(30)))
        one, both = put(shelf, "zebra at the river", "zebra and giraffe")

        hits = found(shelf, index, "zebra giraffe")

        assert ids(hits) == [both, one]
        assert hits[0].score > hits[1].score

    def test_equal_ones_come_by_their_keys(self, shelf: Shelf, index: FullTextIndex) -> None:
        keys = put(shelf, *["the same old story"] * 8)

        assert ids(found(shelf, index, "story", limit=5)) == keys[:5]

    def test_case_and_english_endings_do_not_matter(
        self, shelf: Shelf, index: FullTextIndex
    ) -> None:
        (key,) = put(shelf, "Two foxes were JUMPING")

        for query in ("fox", "FOXES", "jumps", "Jump"):
            assert ids(found(shelf, index, query)) == [key], query

    def test_names_and_numbers_are_found(self, shelf: Shelf, index: FullTextIndex) -> None:
        key, other = put(shelf, "It failed with ERR-1042 in user_id", "ERR stands for error, 7")

        assert ids(found(shelf, index, "ERR-1042"))[0] == key
        assert ids(found(shelf, index, "1042")) == [key]
        assert ids(found(shelf, index, "7")) == [other]

    def test_chinese_japanese_and_korean_words_are_found(
        self, shelf: Shelf, index: FullTextIndex
    ) -> None:
        chinese, japanese, korean = put(
            shelf, "我在北京大学学习数学", "東京都は日本の首都です。", "서울은 한국의 수도입니다"
        )

        assert ids(found(shelf, index, "北京大学")) == [chinese]
        assert ids(found(shelf, index, "首都"))[0] == japanese
        assert ids(found(shelf, index, "서울")) == [korean]
        assert ids(found(shelf, index, "数")) == [chinese]

    def test_what_is_prepared_is_what_is_found(self, shelf: Shelf, index: FullTextIndex) -> None:
        put(shelf, "The quick fox", "Nothing at all", "A lazy fox sleeps")

        with shelf.reading() as connection:
            for query in ("the lazy fox", "and", "zebra", ""):
                steps = index.prepared(connection, query, scope=Scope(NEWS), limit=5)
                hits = taken(connection, steps)()

                expected = index.matching(connection, query, scope=Scope(NEWS), limit=5)
                assert hits == expected
                assert bool(hits) == ("fox" in query)

    def test_words_are_found_by_their_hashes(self, shelf: Shelf, index: FullTextIndex) -> None:
        with shelf.writing() as connection:
            one, other = shelf.put(
                connection,
                Piece(source_id="1", words="wkd3jq2a50 wabcdefgh0"),
                Piece(source_id="2", words="w2222aaaa0"),
            )

        def hashed(text: str) -> str:
            return "wabcdefgh0" if "fox" in text else "w2222aaaa0"

        with shelf.reading() as connection:
            for query, expected in (("my fox", one), ("your hound", other)):
                steps = index.prepared(
                    connection, query, scope=Scope(NEWS), limit=5, hashed=hashed
                )
                assert ids(taken(connection, steps)()) == [expected]

    def test_a_source_an_owner_and_filters_are_kept_to(
        self, shelf: Shelf, index: FullTextIndex
    ) -> None:
        with shelf.writing() as connection:
            anns, bobs, other, rare = shelf.put(
                connection,
                text("1", "salt", owner="ann"),
                text("2", "salt", owner="bob"),
                text("3", "salt", source_type="other"),
                text("4", "salt and much, much more of anything", metadata={"rare": True}),
            )

        assert set(ids(found(shelf, index, "salt"))) == {anns, bobs, rare}
        assert ids(found(shelf, index, "salt", Scope(NEWS, owner="ann"))) == [anns]
        assert ids(found(shelf, index, "salt", Scope("other"))) == [other]
        rare_ones = Scope(NEWS, filters={"rare": True})
        assert ids(found(shelf, index, "salt", rare_ones, limit=1)) == [rare]
        assert not found(shelf, index, "salt", Scope(NEWS, owner="nobody known"))
        assert not found(shelf, index, "salt", Scope("unknown"))

    def test_what_comes_goes_and_changes_is_seen_at_once(
        self, shelf: Shelf, index: FullTextIndex
    ) -> None:
        first, second = put(shelf, "apples", "pears")

        with shelf.writing() as connection:
            shelf.rewrite(connection, second, "apples")
        assert ids(found(shelf, index, "apples")) == [first, second]
        assert not found(shelf, index, "pears")

        with shelf.writing() as connection:
            shelf.take(connection, first)
        assert ids(found(shelf, index, "apples")) == [second]

        with shelf.engine.connect() as connection:
            shelf.take(connection, second)
            assert not index.matching(connection, "apples", scope=Scope(NEWS), limit=3)
            connection.rollback()
        assert ids(found(shelf, index, "apples")) == [second]

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(query=st.text(max_size=40))
    @example(query="the and of")
    @example(query='"unclosed (fox* OR NEAR/2 -dog ^cat: {content}')
    @example(query="a AND NOT b & c | !d <-> e:*")
    @example(query="\0 fox\0dog")
    @example(query="🦊 👩\u200d👩\u200d👧 \ud83e")
    @example(query="' ; DROP TABLE vector_chunks; --")
    @example(query="%_\\")
    @example(query="x" * 70_000)
    @example(query="word " * 20_000)
    @example(query=" ".join(map(str, range(5_000))))
    @example(query="東" * 3_000)
    def test_any_text_is_a_query(self, shelf: Shelf, index: FullTextIndex, query: str) -> None:
        if not found(shelf, index, "fox"):
            put(shelf, "fox")

        for hit in found(shelf, index, query):
            assert isinstance(hit, Hit)

    def test_no_sign_in_a_query_has_a_meaning(self, shelf: Shelf, index: FullTextIndex) -> None:
        fox, dog = put(shelf, "fox", "dog")

        assert set(ids(found(shelf, index, '"fox" -dog'))) == {fox, dog}
        assert set(ids(found(shelf, index, "fox AND NOT dog"))) == {fox, dog}
        assert ids(found(shelf, index, "content:fox*")) == [fox]
        assert not found(shelf, index, "do*")

    @pytest.mark.parametrize("query", ["", "  \t\n", "🦊", "!?", "\0"])
    def test_a_query_without_words_finds_nothing(
        self, shelf: Shelf, index: FullTextIndex, query: str
    ) -> None:
        put(shelf, "fox ! ? 🦊")

        assert not found(shelf, index, query)

    @pytest.mark.parametrize("limit", [0, -3])
    def test_a_limit_that_asks_for_nothing_is_refused(
        self, shelf: Shelf, index: FullTextIndex, limit: int
    ) -> None:
        with pytest.raises(InvalidRequestError, match="limit"):
            found(shelf, index, "fox", limit=limit)


def text(source_id: str, content: str, **others: Any) -> Piece:
    """Return a piece as it is ingested."""
    return Piece(source_id=source_id, content=content, words=spaced(content), **others)


def put(shelf: Shelf, *contents: str) -> list[int]:
    """Store texts."""
    with shelf.writing() as connection:
        return shelf.put(
            connection,
            *(text(f"{content} {number}", content) for number, content in enumerate(contents)),
        )


def ids(hits: Sequence[Hit]) -> list[int]:
    """Return the keys of what was found."""
    return [hit.chunk_id for hit in hits]


def found(
    shelf: Shelf,
    index: FullTextIndex,
    query: str,
    scope: Scope | None = None,
    *,
    limit: int = 10,
) -> list[Hit]:
    """Search by a connection of its own."""
    with shelf.reading() as connection:
        return index.matching(connection, query, scope=scope or Scope(NEWS), limit=limit)
