"""What a model is told of the hard rules that its texts are held to."""

from collections.abc import Iterator

from puppet_engine.core.style_guides import StyleGuide


def rules_of(guide: StyleGuide) -> list[str]:
    """Return the rules of a style guide beside its form, a sentence each."""
    return [*_marks(guide), *_words(guide)]


def _marks(guide: StyleGuide) -> Iterator[str]:
    form, marks = guide.formatting, guide.formatting.punctuation
    if form.max_emojis is not None:
        yield f"Not more than {form.max_emojis} emojis."
    if form.max_hashtags is not None:
        yield f"Not more than {form.max_hashtags} hashtags."
    if marks.forbidden:
        yield f"These marks never occur: {' '.join(marks.forbidden)}"
    if marks.endings:
        yield f"The last sentence ends in one of: {' '.join(marks.endings)}"
    if marks.max_exclamation_marks is not None:
        yield f"Not more than {marks.max_exclamation_marks} exclamation marks."


def _words(guide: StyleGuide) -> Iterator[str]:
    bounds = guide.language_constraints
    if bounds.banned_words:
        yield f"These words are never used: {', '.join(bounds.banned_words)}"
    if bounds.required_words:
        yield f"Each text uses one of these words: {', '.join(bounds.required_words)}"
    if bounds.scripts:
        yield f"All letters are {', '.join(bounds.scripts)}."
    if bounds.max_words_per_sentence is not None:
        yield f"No sentence has more than {bounds.max_words_per_sentence} words."
