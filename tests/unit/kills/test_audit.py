"""An audit takes for lost what nobody accounts for, and nothing else."""

from collections.abc import Sequence

from kills.audit import FELT, audit
from kills.evidence import EventRow, Evidence, MindRow


def event(kind: str, order: int, *, post: str | None = None) -> EventRow:
    return EventRow(
        sequence=order,
        agent="ada",
        type=kind,
        priority=0,
        due_at=order,
        settled_as=order,
        failures=0,
        error=None,
        id=f"{order}",
        post=post,
    )


def faults(
    *events: EventRow,
    unanswered: int = 0,
    moved: int = 0,
    decided: Sequence[str] | None = None,
    minds: bool = True,
) -> list[str]:
    felt = [one.id for one in events if one.type in FELT]
    mind = MindRow(agent="ada", unanswered=unanswered, moved=moved)
    return audit(
        Evidence(
            events=events,
            intents=(),
            agents=(),
            minds=[mind] if minds else [],
            decided=felt if decided is None else decided,
            own_memories=(),
            kept_answers=(),
            published=(),
            is_one_process=True,
        )
    ).faults


def test_a_post_whose_drafts_were_held_back_is_not_lost() -> None:
    assert faults(event("post.due", 1), event("text.held_back", 2)) == []


def test_a_post_of_which_nobody_tells_is_lost() -> None:
    assert len(faults(event("post.due", 1), unanswered=1)) == 2


def test_an_answer_that_was_held_back_is_no_account_of_a_post() -> None:
    held_back = event("text.held_back", 2, post="7")

    assert len(faults(event("post.due", 1), held_back, unanswered=1)) == 2


def test_a_turn_whose_decision_is_of_no_event_was_not_committed_whole() -> None:
    heard = event("mention.received", 1)

    assert faults(heard, moved=1) == []
    assert len(faults(heard, moved=1, decided=[])) == 2
    assert len(faults(heard, moved=1, decided=["1", "1"])) == 2


def test_a_turn_that_has_moved_nobody_was_not_committed_whole() -> None:
    heard = event("mention.received", 1)

    assert len(faults(heard, moved=0)) == 1
    assert len(faults(heard, minds=False)) == 1


def test_posts_wait_for_a_word_until_one_is_said() -> None:
    posts = [event("post.due", 1), event("mention.received", 2), event("post.due", 3)]
    told = [event("text.held_back", 4), event("text.held_back", 5)]

    assert faults(*posts, *told, moved=1, unanswered=1) == []
    assert len(faults(*posts, *told, moved=1, unanswered=2)) == 1
