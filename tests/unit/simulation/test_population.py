import random
from collections import Counter

from hypothesis import given, settings, strategies as st

from puppet_engine.personas.handles import handle_of
from puppet_engine.simulation.population import NEIGHBOURS, populate, small_world


def test_the_same_seed_is_the_same_population_and_another_is_another() -> None:
    assert populate(30, seed=1) == populate(30, seed=1)
    assert populate(30, seed=1) != populate(30, seed=2)


def test_a_thousand_people_are_a_thousand_people() -> None:
    people = populate(1000, seed=3)

    assert len({person.id for person in people}) == 1000
    assert len({handle_of(person).lower() for person in people}) == 1000
    assert len({person.personality.model_dump_json() for person in people}) == 1000
    assert len({person.behavior.timezone for person in people}) >= 15
    assert len({person.style_guide.tone for person in people}) == 6
    paces = Counter(round(one.behavior.post_frequency.min_hours_between_posts) for one in people)
    assert len(paces) > 10


def test_acquaintances_are_there_and_know_one_back() -> None:
    people = {handle_of(person): person for person in populate(200, seed=3)}

    known = {
        handle: {friend.handle for friend in person.initial_memory.relationships}
        for handle, person in people.items()
    }

    assert all(handle in known[friend] for handle, friends in known.items() for friend in friends)
    assert all(handle not in friends for handle, friends in known.items())
    average = sum(map(len, known.values())) / len(known)
    assert NEIGHBOURS - 1 < average <= NEIGHBOURS


def test_friends_of_friends_mostly_know_each_other_and_nobody_is_far_away() -> None:
    known = small_world(500, random.Random(1))

    pairs = [(a, b) for friends in known for a in friends for b in friends if a < b]
    closed = sum(b in known[a] for a, b in pairs) / len(pairs)
    reached, frontier, steps = {0}, {0}, 0
    while frontier:
        frontier = {friend for one in frontier for friend in known[one]} - reached
        reached |= frontier
        steps += bool(frontier)

    assert closed > 0.25  # by chance alone it would be about 0.01
    assert len(reached) == 500
    assert steps <= 12  # on the ring alone it would be 84


@settings(max_examples=25)
@given(count=st.integers(min_value=1, max_value=40), seed=st.integers())
def test_a_population_of_any_size_is_valid(count: int, seed: int) -> None:
    people = populate(count, seed=seed)

    assert len({handle_of(person).lower() for person in people}) == count
    lonely = [person for person in people if not person.initial_memory.relationships]
    assert not lonely or count == 1 or count > 2
