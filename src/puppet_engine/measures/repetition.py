"""Whether anybody says again what was said: near-duplicates, openings, and how varied words are.

Two texts are near-duplicates when Jaccard's index of their spans of five characters is 0.85 or
more. All pairs are compared that can be so alike, by the prefix filter of Chaudhuri, Ganti and
Kaushik, "A primitive operator for similarity joins" (ICDE 2006): with their spans sorted by
rarity, two such texts share one among the first few.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.people import Beside, beside_people
from puppet_engine.measures.reading import CAST, Reading, told
from puppet_engine.measures.variety import commonest_opening, variety
from puppet_engine.style.repetition import NEAR, OPENINGS_KEPT, near_likeness, print_of, shingles

MOST_ALIKE: Final = 0.05
"""How many texts may begin alike."""

SOON: Final = OPENINGS_KEPT
"""After so many texts an opening has been forgotten."""

MOST_EXAMPLES: Final = 5


class Opening(Noun):
    """The first words that somebody begins with most often."""

    handle: str
    words: str
    times: int
    share: float


class Repetition(Noun):
    """How much was said again."""

    readings: list[Reading]
    duplicates: list[str]
    """The first near-duplicates, each as both texts."""
    openings: list[Opening]
    beside_people: list[Beside]


def repetition(texts: Mapping[str, Sequence[str]]) -> Repetition:
    """Measure how much of the texts of each handle, and of all, repeats others."""
    everything = [(handle, text) for handle, said in texts.items() for text in said]
    pairs = list(near_duplicates([text for _, text in everything]))
    openings = [_commonest_opening(handle, said) for handle, said in texts.items()]
    readings = [_no_duplicates(everything, pairs)]
    for opening in openings:
        readings += _openings(opening, texts[opening.handle])
    for handle, said in texts.items():
        readings += variety(handle, said)
    examples = [(everything[one], everything[other]) for one, other in pairs[:MOST_EXAMPLES]]
    return Repetition(
        readings=readings,
        duplicates=[f"@{a[0]}: {a[1]} = @{b[0]}: {b[1]}" for a, b in examples],
        openings=openings,
        beside_people=beside_people(texts),
    )


def near_duplicates(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of all pairs of texts that are as good as the same."""
    spans = [shingles(print_of(text)) for text in texts]
    frequency = Counter(span for found in spans for span in found)
    seen: defaultdict[str, list[int]] = defaultdict(list)
    for place, found in enumerate(spans):
        rarest = sorted(found, key=lambda span: (frequency[span], span))
        prefix = rarest[: len(found) - ceil(NEAR * len(found)) + 1]
        suspects = {earlier for span in prefix for earlier in seen[span]}
        for earlier in sorted(suspects):
            if near_likeness(texts[earlier], texts[place]) >= NEAR:
                yield earlier, place
        for span in prefix:
            seen[span].append(place)


def _no_duplicates(
    everything: Sequence[tuple[str, str]], pairs: Sequence[tuple[int, int]]
) -> Reading:
    return Reading(
        of="near-duplicates",
        whose=CAST,
        value=len(pairs),
        line="0",
        holds=bool(everything) and not pairs,
        count=len(everything),
    )


def _commonest_opening(handle: str, said: Sequence[str]) -> Opening:
    words, times = commonest_opening(said)
    share = times / max(1, len(said))
    return Opening(handle=handle, words=" ".join(words), times=times, share=share)


def _openings(opening: Opening, said: Sequence[str]) -> Iterator[Reading]:
    """Yield how often the commonest opening came, and how often one came again soon, or ever."""
    count, handle = len(said), opening.handle
    openings = [print_of(text).opening for text in said]
    soon = sum(one in openings[max(0, at - SOON) : at] for at, one in enumerate(openings))
    ever = count - len(set(openings))
    line = f"below {MOST_ALIKE:.0%}"
    yield Reading(
        of="texts with the commonest opening",
        whose=handle,
        value=opening.share,
        line=f"{line}, or once",
        holds=bool(count) and (opening.share < MOST_ALIKE or opening.times == 1),
        count=count,
        unit="share",
    )
    yield Reading(
        of=f"texts that begin as one of the {SOON} before them",
        whose=handle,
        value=soon / max(1, count),
        line=line,
        holds=bool(count) and soon / count < MOST_ALIKE,
        count=count,
        unit="share",
    )
    again = ever / max(1, count)
    yield told(
        "texts that begin as any before them", again, count=count, whose=handle, unit="share"
    )
