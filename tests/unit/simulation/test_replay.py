from tests.unit.simulation.lives import said
from tests.unit.simulation.test_page import TALK, report

from puppet_engine.simulation.replay import compare

OTHER = "e" * 64


def test_the_same_digest_is_the_same_life() -> None:
    assert compare(report(), report(wall_seconds=99)).is_same


def test_the_first_other_utterance_is_named_with_both_versions() -> None:
    changed = [TALK[0], said(2, "bob", "Yes.", hours=30, to=1)]

    found = compare(report(), report(utterances=changed, digest=OTHER))

    assert not found.is_same
    assert found.difference.splitlines() == [
        "utterance 2 is another one.",
        "  before: 2026-01-06 12:00:00 @bob to 1: No.",
        "  now:    2026-01-06 12:00:00 @bob to 1: Yes.",
    ]


def test_an_utterance_that_is_missing_is_named() -> None:
    found = compare(report(), report(utterances=TALK[:1], digest=OTHER))

    assert "now:    (nothing more was said)" in found.difference


def test_what_happened_otherwise_without_a_word_is_named_by_its_hour() -> None:
    before = report(happened_by_hour=["a"] * 48)
    after = report(happened_by_hour=["a"] * 30 + ["b"] * 18, digest=OTHER)

    assert "on day 2 in hour 7" in compare(before, after).difference


def test_a_report_that_was_changed_by_hand_is_told_from_another_life() -> None:
    assert (
        "digest of day 2"
        in compare(
            report(said_by_day=["1", "x"]), report(said_by_day=["1", "2"], digest=OTHER)
        ).difference
    )
    assert "not that of its own parts" in compare(report(), report(digest=OTHER)).difference
