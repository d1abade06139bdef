"""An audit takes for lost what nobody accounts for, and nothing else."""

from kills.audit import audit
from kills.evidence import EventRow, Evidence


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
        post=post,
    )


def faults(*events: EventRow) -> list[str]:
    return audit(
        Evidence(
            events=events,
            intents=(),
            agents=(),
            own_memories=(),
            kept_answers=(),
            published=(),
            is_one_process=True,
        )
    ).faults


def test_a_post_whose_drafts_were_held_back_is_not_lost() -> None:
    assert faults(event("post.due", 1), event("text.held_back", 2)) == []


def test_a_post_of_which_nobody_tells_is_lost() -> None:
    assert len(faults(event("post.due", 1))) == 2


def test_an_answer_that_was_held_back_is_no_account_of_a_post() -> None:
    assert len(faults(event("post.due", 1), event("text.held_back", 2, post="7"))) == 2
