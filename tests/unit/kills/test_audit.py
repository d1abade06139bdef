"""An audit takes for lost what nobody accounts for, and nothing else."""

from collections.abc import Sequence

from kills.audit import FELT, audit
from kills.evidence import DecisionRow, EventRow, Evidence, IntentRow, MindRow


def event(kind: str, order: int) -> EventRow:
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
        post=None,
    )


def decided(event_id: str, acts: str = "silence") -> DecisionRow:
    return DecisionRow(event=event_id, agent="ada", acts=acts)


def wish(number: int, *, follows: str | None = None) -> IntentRow:
    return IntentRow(
        id=f"wish-{number}",
        agent="ada",
        kind="post",
        state="done",
        result="",
        text="",
        answers=None,
        follows=follows,
    )


def faults(
    *events: EventRow,
    unanswered: int = 0,
    moved: int = 0,
    decisions: Sequence[DecisionRow] | None = None,
    wishes: Sequence[IntentRow] = (),
    minds: bool = True,
) -> list[str]:
    silent = [decided(one.id) for one in events if one.type in FELT]
    mind = MindRow(agent="ada", unanswered=unanswered, moved=moved)
    found = audit(
        Evidence(
            events=events,
            intents=wishes,
            agents=(),
            minds=[mind] if minds else [],
            decided=silent if decisions is None else decisions,
            own_memories=(),
            kept_answers=(),
            published=(),
            is_one_process=True,
        )
    )
    # Nothing is public here: that wishes came true is another matter.
    return [each for each in found.lost_events if "public" not in each]


def test_a_post_that_an_agent_chose_not_to_write_is_not_lost() -> None:
    assert faults(event("post.due", 1)) == []


def test_a_post_that_was_decided_on_and_is_not_wanted_is_lost() -> None:
    post = event("post.due", 1)

    assert faults(post, unanswered=1, decisions=[decided("1", "post")], wishes=[wish(1)]) == []
    assert len(faults(post, unanswered=1, decisions=[decided("1", "post")])) == 2


def test_a_post_that_nobody_decided_on_is_found() -> None:
    assert len(faults(event("post.due", 1), wishes=[wish(1)])) == 2


def test_a_thread_is_one_decision() -> None:
    thread = [wish(1), wish(2, follows="wish-1"), wish(3, follows="wish-2")]
    post, told = event("post.due", 1), [decided("1", "post")]

    assert faults(post, unanswered=1, decisions=told, wishes=thread) == []
    assert len(faults(post, unanswered=1, decisions=told, wishes=thread[1:])) == 2


def test_a_turn_whose_decision_is_of_no_event_was_not_committed_whole() -> None:
    heard = event("mention.received", 1)

    assert faults(heard, moved=1) == []
    assert len(faults(heard, moved=1, decisions=[])) == 2
    assert len(faults(heard, moved=1, decisions=[decided("1"), decided("1")])) == 2


def test_a_turn_that_has_moved_nobody_was_not_committed_whole() -> None:
    heard = event("mention.received", 1)

    assert len(faults(heard, moved=0)) == 1
    assert len(faults(heard, minds=False)) == 1


def test_posts_wait_for_a_word_until_one_is_said() -> None:
    events = [event("post.due", 1), event("mention.received", 2), event("post.due", 3)]
    told = [decided("1", "post"), decided("2"), decided("3", "post")]
    wishes = [wish(1), wish(2)]

    assert faults(*events, moved=1, unanswered=1, decisions=told, wishes=wishes) == []
    assert len(faults(*events, moved=1, unanswered=2, decisions=told, wishes=wishes)) == 1
