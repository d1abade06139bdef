"""Each promise is broken on purpose, and the account tells of it: else it would prove nothing."""

from collections.abc import Mapping
from dataclasses import replace

from tests.unit.simulation.lives import moment, said

from puppet_engine.core.moods import MoodState
from puppet_engine.core.personas import EmotionalRange
from puppet_engine.simulation.account import Evidence, hold_to_account
from puppet_engine.storage.census import EventFact, Heard, IntentFact, MoodFact


def event(sequence: int, kind: str, *, hours: float, settled_as: int | None = None) -> EventFact:
    return EventFact(
        sequence=sequence,
        type=kind,
        agent_id="ann",
        due_at=moment(hours),
        settled_at=None if settled_as is None else moment(hours),
        settled_as=settled_as,
        failures=0,
    )


def felt(hours: float, valence: float) -> MoodState:
    return MoodState(valence=valence, arousal=0, as_of=moment(hours))


SOUND = Evidence(
    until=moment(10),
    handles={"ann": "ann", "bob": "bob"},
    events=[
        event(1, "post.due", hours=1, settled_as=1),
        event(2, "mentions.due", hours=2, settled_as=2),
        event(3, "mention.received", hours=2, settled_as=3),
        event(4, "mention.received", hours=2, settled_as=4),
        event(5, "post.due", hours=20),
        event(6, "mentions.due", hours=20),
        replace(event(7, "post.due", hours=21), agent_id="bob"),
        replace(event(8, "mentions.due", hours=21), agent_id="bob"),
    ],
    intents=[
        IntentFact("ann", "post", "done", "100", "Hello."),
        IntentFact("ann", "reply", "done", "102", "Oh."),
        IntentFact("bob", "post", "done", "101", "Hello, @ann."),
        IntentFact("bob", "reply", "sending", "", "On its way."),
    ],
    heard=[Heard("ann", "101")],
    cursors={"ann": "101", "bob": None},
    said=[
        said(100, "ann"),
        said(101, "bob", "Hello, @ann."),
        said(102, "ann", "Oh.", to=101),
        said(103, "bob", "On its way.", to=102),
    ],
    moods=[
        MoodFact("ann", "mention.received", before=felt(1, 0.0), after=felt(1, 0.5)),
        MoodFact("ann", "mention.received", before=felt(7, 0.25), after=felt(7, 0.375)),
    ],
    ranges={"ann": EmotionalRange(half_life_hours=6), "bob": EmotionalRange()},
    mentions={"ann": ["101", "103"], "bob": ["102"]},
)


def broken(evidence: Evidence) -> Mapping[str, tuple[str, ...]]:
    return {
        finding.promise: finding.examples
        for finding in hold_to_account(evidence)
        if not finding.is_kept
    }


def test_a_sound_life_breaks_nothing() -> None:
    assert broken(SOUND) == {}


def test_an_event_that_is_due_and_not_over_is_found() -> None:
    late = event(9, "outbox.due", hours=9)

    assert broken(replace(SOUND, events=[*SOUND.events, late])) == {
        "Every event that was due is over.": (
            "event 9 (outbox.due of ann, due 05 15:00:00) is still pending",
        )
    }


def test_a_routine_that_is_lost_or_doubled_is_found() -> None:
    lost = [one for one in SOUND.events if one.sequence != 5]
    doubled = [*SOUND.events, event(9, "post.due", hours=30)]

    assert broken(replace(SOUND, events=lost)) == {
        "Every agent goes on with its routine.": ("ann has 0 of post.due ahead",)
    }
    assert broken(replace(SOUND, events=doubled)) == {
        "Every agent goes on with its routine.": ("ann has 2 of post.due ahead",)
    }


def test_a_mention_that_was_missed_or_heard_twice_is_found() -> None:
    promise = "Every mention an agent has looked at was heard, once."

    assert broken(replace(SOUND, heard=[])) == {promise: ("ann heard of post 101 0 times",)}
    assert broken(replace(SOUND, heard=[*SOUND.heard, Heard("ann", "101")])) == {
        promise: ("ann heard of post 101 2 times",)
    }


def test_what_is_said_twice_is_found() -> None:
    again = said(104, "ann", "Oh!", to=101)
    done = IntentFact("ann", "reply", "done", "104", "Oh!")

    assert broken(replace(SOUND, said=[*SOUND.said, again], intents=[*SOUND.intents, done])) == {
        "Nothing was said twice.": ("@ann answered 101 2 times",)
    }


def test_what_was_said_and_is_not_known_is_found() -> None:
    promise = "All that was said is known to whoever said it."
    forgotten = [one for one in SOUND.intents if one.result != "100"]
    imagined = IntentFact("ann", "post", "done", "105", "Never said.")

    assert broken(replace(SOUND, intents=forgotten)) == {
        promise: ("@ann does not know of 100: Hello.",)
    }
    assert broken(replace(SOUND, intents=[*SOUND.intents, imagined])) == {
        promise: ("an intent came to 105, which X does not have",)
    }


def test_events_taken_out_of_their_order_are_found() -> None:
    early, late = event(9, "mention.received", hours=3), event(10, "mention.received", hours=4)
    swapped = [replace(late, settled_as=5), replace(early, settled_as=6)]
    swapped = [replace(one, settled_at=moment(4)) for one in swapped]

    assert broken(replace(SOUND, events=[*SOUND.events, *swapped])) == {
        "Each agent's events of one kind were taken in their order.": (
            (
                "event 10 (mention.received of ann, due 05 10:00:00) was taken before "
                "event 9 (mention.received of ann, due 05 09:00:00)"
            ),
        )
    }


def test_a_mood_that_did_not_fade_as_it_must_is_found() -> None:
    first, second = SOUND.moods
    faded_too_fast = replace(second, before=felt(7, 0.2))

    assert broken(replace(SOUND, moods=[first, faded_too_fast])) == {
        "Every mood faded by its half-life, and kept within its bounds.": (
            "ann felt at 05 13:00:00 what it could not (mention.received)",
        )
    }
