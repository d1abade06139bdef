"""The hard rules of a style guide, each a function that finds what breaks it."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from puppet_engine.core.personas import AgentConfig
from puppet_engine.core.style_guides import Formatting, LanguageConstraints, Punctuation
from puppet_engine.style.anatomy import (
    WORD,
    ending,
    hashtag_spans,
    prose,
    term_pattern,
    unquoted,
    without_address,
)
from puppet_engine.style.findings import Check, Violation, violation
from puppet_engine.style.honesty import no_denial
from puppet_engine.style.threads import sentences
from puppet_engine.style.weight import POST_WEIGHT, Span, emoji_spans, weighted_length

_I: Final = re.compile(r"(?<![\w'’])(?:I|me|my|mine|myself|i)(?:['’](?:m|ve|d|ll))?(?![\w'’])")  # noqa: RUF001 - apostrophes
_FILLERS: Final = frozenset({"a", "an", "and", "in", "of", "on", "or", "the", "to"})
_SCRIPTS: Final = {"han": "CJK"}
"""What Unicode's names of letters begin with, where it is not the name of the script."""


def hard_checks(config: AgentConfig) -> list[Check]:
    """Return the hard rules of a persona. What its guide leaves open has none."""
    guide = config.style_guide
    return [
        _too_long_for_a_post,
        no_denial,
        *_form_checks(guide.formatting),
        *_punctuation_checks(guide.formatting.punctuation),
        *_language_checks(guide.language_constraints),
        *(_avoiding(topic) for topic in guide.topics_to_avoid),
        *_person_checks(guide.voice, config.name),
    ]


# ------------------------------------------------------------------ form


def _too_long_for_a_post(text: str) -> Iterator[Violation]:
    weight = weighted_length(text)
    if weight > POST_WEIGHT:
        reason = f"weighs {weight} of {POST_WEIGHT} characters"
        yield violation("post.weight", reason, f"cut {weight - POST_WEIGHT}", text=text)


def _form_checks(form: Formatting) -> Iterator[Check]:
    if form.min_characters is not None or form.max_characters is not None:
        yield _length(form.min_characters or 1, form.max_characters or POST_WEIGHT)
    emojis = form.max_emojis if form.uses_emojis else 0
    if emojis is not None:
        yield _at_most(emojis, emoji_spans, rule="formatting.emojis", what="emoji")
    hashtags = form.max_hashtags if form.uses_hashtags else 0
    if hashtags is not None:
        yield _at_most(hashtags, hashtag_spans, rule="formatting.hashtags", what="hashtag")
    if form.case is not None:
        yield {"lowercase": _lowercase, "uppercase": _uppercase, "ordinary": _capital}[form.case]


def _length(low: int, high: int) -> Check:
    def check(text: str) -> Iterator[Violation]:
        # Whom it is addressed to is no part of what is said.
        weight = weighted_length(without_address(text))
        if not low <= weight <= high:
            cure = f"say it in {low} to {high} characters"
            yield violation("formatting.length", f"{weight} characters", cure, text=text)

    return check


def _at_most(most: int, find: Callable[[str], Sequence[Span]], *, rule: str, what: str) -> Check:
    def check(text: str) -> Iterator[Violation]:
        found = find(text)
        if len(found) > most:
            cure = f"use {most} at the most" if most else "leave it away"
            reason = f"one {what} too many"
            yield violation(rule, reason, cure, text=text, span=found[most])

    return check


def _lowercase(text: str) -> Iterator[Violation]:
    plain = prose(text)
    if plain != plain.lower():
        at = next(at for at, one in enumerate(plain) if one != one.lower())
        yield _case_violation(text, at, "a capital letter", "write it small")


def _uppercase(text: str) -> Iterator[Violation]:
    plain = prose(text)
    if plain != plain.upper():
        at = next(at for at, one in enumerate(plain) if one != one.upper())
        yield _case_violation(text, at, "a small letter", "write it big")


def _case_violation(text: str, at: int, reason: str, cure: str) -> Violation:
    return violation("formatting.case", reason, cure, text=text, span=(at, at + 1))


def _capital(text: str) -> Iterator[Violation]:
    first = re.search(r"[^\W_]", prose(text))
    if first and first[0] != first[0].upper():
        yield _case_violation(text, first.start(), "begins small", "begin it big")


# ------------------------------------------------------------------ punctuation


def _punctuation_checks(marks: Punctuation) -> Iterator[Check]:
    for mark in marks.forbidden:
        yield _without_mark(mark)
    if marks.endings:
        yield _ending_in(tuple(marks.endings))
    if (most := marks.max_exclamation_marks) is not None:
        yield _at_most(most, _exclamations, rule="punctuation.exclamation_marks", what="!")


def _exclamations(text: str) -> list[Span]:
    return [found.span() for found in re.finditer("!", text)]


def _without_mark(mark: str) -> Check:
    def check(text: str) -> Iterator[Violation]:
        at = prose(text).find(mark)
        if at >= 0:
            span = (at, at + len(mark))
            reason = f"the mark {mark} is never used"
            yield violation("punctuation.forbidden", reason, "do without", text=text, span=span)

    return check


def _ending_in(endings: tuple[str, ...]) -> Check:
    def check(text: str) -> Iterator[Violation]:
        said = ending(text)
        if said and not said.endswith(endings):
            span, cure = (len(said) - 1, len(said)), f"end in one of {' '.join(endings)}"
            yield violation("punctuation.endings", "ends otherwise", cure, text=text, span=span)

    return check


# ------------------------------------------------------------------ language


def _language_checks(bounds: LanguageConstraints) -> Iterator[Check]:
    for term in bounds.banned_words:
        yield _without_term(term, rule="language.banned_words", reason="a banned word")
    if bounds.required_words:
        yield _with_one_of(bounds.required_words)
    if bounds.scripts:
        yield _in_scripts(bounds.scripts)
    if bounds.max_words_per_sentence is not None:
        yield _short_sentences(bounds.max_words_per_sentence)


def _without_term(term: str, *, rule: str, reason: str) -> Check:
    pattern = term_pattern(term)

    def check(text: str) -> Iterator[Violation]:
        if found := pattern.search(text):
            yield violation(rule, reason, "say it without", text=text, span=found.span())

    return check


def _with_one_of(terms: Sequence[str]) -> Check:
    patterns = [term_pattern(term) for term in terms]

    def check(text: str) -> Iterator[Violation]:
        if not any(pattern.search(text) for pattern in patterns):
            cure = f"use one of: {', '.join(terms)}"
            yield violation("language.required_words", "none is in it", cure, text=text)

    return check


def _in_scripts(scripts: Sequence[str]) -> Check:
    names = tuple(_SCRIPTS.get(script, script.upper()) for script in scripts)

    def check(text: str) -> Iterator[Violation]:
        for at, letter in enumerate(text):
            # What is written in no script at all, as ª and fullwidth forms, is as good as foreign.
            if letter.isalpha() and not letter.isascii():
                foreign = not unicodedata.name(letter, "?").startswith(names)
            else:
                foreign = letter.isalpha() and "LATIN" not in names
            if foreign:
                cure = f"write in {', '.join(scripts)} letters"
                span = (at, at + 1)
                yield violation("language.scripts", "a letter of none", cure, text=text, span=span)
                return

    return check


def _short_sentences(most: int) -> Check:
    def check(text: str) -> Iterator[Violation]:
        for sentence in sentences(text):
            count = len(WORD.findall(sentence))
            if count > most:
                at = text.index(sentence)
                span, cure = (at, at + len(sentence)), f"use {most} at the most"
                reason = f"a sentence of {count} words"
                yield violation("language.sentences", reason, cure, text=text, span=span)

    return check


def _avoiding(topic: str) -> Check:
    """Return what finds a topic: all its words that carry meaning, in one sentence."""
    terms = [word for word in WORD.findall(topic) if word.casefold() not in _FILLERS]
    patterns = [term_pattern(term) for term in terms]

    def check(text: str) -> Iterator[Violation]:
        if not patterns or not patterns[0].search(text):
            return
        for sentence in sentences(text):
            found = [pattern.search(sentence) for pattern in patterns]
            if all(found) and found[0]:
                at = text.index(sentence) + found[0].start()
                span = (at, at + len(found[0][0]))
                cure = "speak of something else"
                yield violation("topics_to_avoid", f"about {topic}", cure, text=text, span=span)
                return

    return check


# ------------------------------------------------------------------ person


def _person_checks(voice: str, name: str) -> Iterator[Check]:
    match voice.strip().casefold().replace(" ", "_").replace("-", "_"):
        case "first_person":
            yield _not_by_name(name)
        case "first_person_plural":
            yield _without_i("say we")
        case "third_person":
            yield _without_i(f"say {name}, he, she or they")
        case _:
            pass


def _without_i(cure: str) -> Check:
    def check(text: str) -> Iterator[Violation]:
        if found := _I.search(unquoted(prose(text))):
            reason = "speaks of itself in the first person"
            yield violation("voice.person", reason, cure, text=text, span=found.span())

    return check


def _not_by_name(name: str) -> Check:
    names = "|".join(map(re.escape, dict.fromkeys((name, name.split(maxsplit=1)[0]))))
    verbs = "is|was|has|had|thinks|says|feels|wants|believes|loves|knows|will|would|can"
    # Only where a sentence begins: elsewhere a name may be an ordinary word.
    spoken = re.compile(rf"(?:^|[.!?…]\s+)({names}) (?:{verbs})\b", re.IGNORECASE)

    def check(text: str) -> Iterator[Violation]:
        if found := spoken.search(unquoted(without_address(text))):
            at = text.find(found[0])
            span = (at, at + len(found[0])) if at >= 0 else None
            reason = "speaks of itself in the third person"
            yield violation("voice.person", reason, "say I", text=text, span=span)

    return check
