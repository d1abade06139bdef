"""How somebody writes: the nouns of a style guide, which the linter holds every text to."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from puppet_engine.core.nouns import Noun, Probability

Characters = Annotated[int, Field(ge=1, le=280)]
"""Weighted characters, as X counts them."""

Term = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
"""A word, or some in a row."""


ROOM_FOR_A_SENTENCE: Final = 40

Script = Literal[
    "latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari",
    "han", "hiragana", "katakana", "hangul", "thai",
]  # fmt: skip


class LengthDistribution(Noun):
    """How long posts are: a quarter, a half and three quarters of them are no longer than this."""

    lower_quartile: Characters
    median: Characters
    upper_quartile: Characters

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.lower_quartile <= self.median <= self.upper_quartile:
            raise ValueError("lower_quartile, median and upper_quartile must rise")
        return self


class Punctuation(Noun):
    """Which marks somebody uses."""

    forbidden: list[Term] = Field(default_factory=list)
    """Marks that never occur, such as `!` or `—`."""
    endings: list[Term] = Field(default_factory=list)
    """What a text ends in, hashtags, emojis and links left aside; anything when empty."""
    max_exclamation_marks: Annotated[int, Field(ge=0)] | None = None


class Formatting(Noun):
    """How somebody's posts look on the page.

    What allows or bounds is a hard rule: a text that breaks it never leaves.
    A rate says in how many of the texts something occurs; it is held over the recent ones.
    """

    uses_hashtags: bool = False
    uses_emojis: bool = False
    hashtags: list[str] = Field(default_factory=list)
    """Those somebody likes best, without the #; free to choose when empty."""
    emojis: list[str] = Field(default_factory=list)
    """Those somebody likes best; free to choose when empty."""
    max_hashtags: Annotated[int, Field(ge=1)] | None = None
    max_emojis: Annotated[int, Field(ge=1)] | None = None
    lowercase: bool = False
    capitalization: Literal["ordinary", "lowercase", "uppercase"] | None = None
    """The same as `lowercase`, and more; `ordinary` begins every text with a capital."""
    min_characters: Characters | None = None
    max_characters: Characters | None = None
    length: LengthDistribution | None = None
    punctuation: Punctuation = Field(default_factory=Punctuation)
    emoji_rate: Probability | None = None
    hashtag_rate: Probability | None = None
    link_rate: Probability | None = None
    question_rate: Probability | None = None
    exclamation_rate: Probability | None = None

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        low, high = self.min_characters, self.max_characters
        if low is not None and high is not None and low > high:
            raise ValueError("min_characters is greater than max_characters")
        if self.lowercase and self.capitalization not in {None, "lowercase"}:
            raise ValueError("lowercase and capitalization contradict each other; give one")
        for rate, uses in (("emoji_rate", "uses_emojis"), ("hashtag_rate", "uses_hashtags")):
            if getattr(self, rate) and not getattr(self, uses):
                raise ValueError(f"{rate} needs {uses}: true")
        return self

    @property
    def case(self) -> Literal["ordinary", "lowercase", "uppercase"] | None:
        """How the letters are; None when it is left open."""
        return "lowercase" if self.lowercase else self.capitalization


class Threads(Noun):
    """What somebody tells at length: posts that go on under each other."""

    max_posts: Annotated[int, Field(ge=2, le=12)] = 4
    """How many posts one of them has at the most."""
    rate: Probability = 0.1
    """In how many cases somebody goes on at length who says something of their own accord."""


class LanguageConstraints(Noun):
    """Within which bounds of language somebody writes."""

    banned_words: list[Term] = Field(default_factory=list)
    """Never said, in any case and form that differs by an ending -s only."""
    required_words: list[Term] = Field(default_factory=list)
    """Each text says at least one of them."""
    scripts: list[Script] = Field(default_factory=list)
    """The scripts whose letters may occur; any when empty."""
    max_words_per_sentence: Annotated[int, Field(ge=1)] | None = None


class StyleGuide(Noun):
    """How somebody writes."""

    voice: str = "first_person"
    """Who speaks: `first_person`, `first_person_plural` and `third_person` are checked."""
    tone: str = ""
    formatting: Formatting = Field(default_factory=Formatting)
    content_preferences: list[str] = Field(default_factory=list)
    """What somebody likes to write about and how; told to the model, not checked."""
    catchphrases: list[str] = Field(default_factory=list)
    example_posts: list[str] = Field(default_factory=list)
    """Posts that sound exactly right, for a model to learn the voice from."""
    topics_to_avoid: list[str] = Field(default_factory=list)
    threads: Threads | None = None
    """When left out, every post stands alone."""
    language_constraints: LanguageConstraints = Field(default_factory=LanguageConstraints)

    @model_validator(mode="after")
    def _has_room_for_threads(self) -> Self:
        most = self.formatting.max_characters
        if self.threads is not None and most is not None and most < ROOM_FOR_A_SENTENCE:
            raise ValueError(
                f"threads need formatting.max_characters of {ROOM_FOR_A_SENTENCE} or more: "
                "they are cut where sentences end"
            )
        return self
