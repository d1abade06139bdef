from tests.unit.simulation.lives import said

from puppet_engine.simulation.talk import by_hour, cascades, who_answers_whom

TALK = [
    said(1, "ann", hours=0.5),
    said(2, "bob", hours=0.6),
    said(3, "bob", hours=1.5, to=1),
    said(4, "ann", hours=1.6, to=3),
    said(5, "cyd", hours=3.2, to=1),
    said(6, "bob", hours=3.3, to=4),
]


def test_hours_count_posts_and_replies_apart_and_quiet_hours_too() -> None:
    hours = [(hour.posts, hour.replies) for hour in by_hour(TALK)]

    assert hours == [(2, 0), (0, 2), (0, 0), (0, 2)]
    assert by_hour([]) == []


def test_a_cascade_is_a_post_and_all_that_came_of_it() -> None:
    found = cascades(TALK, largest=1)

    assert found.sizes == {1: 1, 5: 1}
    assert found.depths == {0: 1, 3: 1}
    (first,) = found.largest
    assert (first.post_id, first.size, first.depth, first.people) == ("1", 5, 3, 3)


def test_an_answer_to_what_nobody_has_begins_a_cascade_of_its_own() -> None:
    assert cascades([said(9, "ann", to=8)], largest=5).sizes == {1: 1}


def test_who_answers_whom_most_stands_first() -> None:
    found = [(pair.who, pair.whom, pair.count) for pair in who_answers_whom(TALK)]

    assert found == [("bob", "ann", 2), ("ann", "bob", 1), ("cyd", "ann", 1)]
