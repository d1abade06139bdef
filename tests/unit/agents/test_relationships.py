from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.unit.agents.conftest import ADA

from puppet_engine.agents.relationships import (
    AFFINITY_HALF_LIFE,
    after_hearing,
    after_speaking,
    at_rest,
    closeness,
    faded,
)
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.relationships import REASONS, Relationship

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
STRANGER = Relationship(handle="eve", as_of=NOW)

feelings = st.floats(-1, 1)
ages = st.floats(0, 3000).map(lambda days: timedelta(days=days))
known = st.builds(
    Relationship,
    handle=st.just("eve"),
    familiarity=st.floats(0, 1),
    affinity=feelings,
    trust=feelings,
    as_of=st.just(NOW),
)


def ada(**changes: Any) -> AgentConfig:
    return AgentConfig.model_validate({**ADA, **changes})


def bounded(relationship: Relationship) -> bool:
    return (
        0 <= relationship.familiarity <= 1
        and -1 <= relationship.affinity <= 1
        and -1 <= relationship.trust <= 1
    )


@given(known, known, st.lists(st.tuples(feelings, ages), max_size=30))
def test_no_series_of_words_leads_out_of_bounds(
    relationship: Relationship, rest: Relationship, words: list[tuple[float, timedelta]]
) -> None:
    for valence, age in words:
        relationship = faded(relationship, rest, relationship.as_of + age)
        relationship = after_hearing(relationship, valence, what="they spoke")

        assert bounded(relationship)
        assert bounded(after_speaking(relationship, what="I spoke"))
        assert 0 <= closeness(relationship) <= 1
        assert len(relationship.reasons) <= REASONS


@given(known, known)
def test_half_of_an_affinity_has_faded_after_its_half_life(
    relationship: Relationship, rest: Relationship
) -> None:
    later = faded(relationship, rest, NOW + AFFINITY_HALF_LIFE)

    assert later.affinity == pytest.approx((relationship.affinity + rest.affinity) / 2, abs=1e-9)


@given(known, known, ages, ages)
def test_it_fades_the_same_whether_one_looks_in_between_or_not(
    relationship: Relationship, rest: Relationship, first: timedelta, second: timedelta
) -> None:
    at_once = faded(relationship, rest, NOW + first + second)
    in_two = faded(faded(relationship, rest, NOW + first), rest, NOW + first + second)

    for one, other in ((at_once.familiarity, in_two.familiarity), (at_once.trust, in_two.trust)):
        assert one == pytest.approx(other, abs=1e-9)


def test_kind_words_make_friends_and_hostile_ones_undo_more_than_they_did() -> None:
    praised = after_hearing(STRANGER, 0.8, what="they praised me")
    insulted = after_hearing(praised, -0.8, what="they insulted me")

    assert praised.affinity > 0
    assert praised.trust > 0
    assert insulted.affinity < praised.affinity
    assert insulted.trust < 0
    assert insulted.familiarity > praised.familiarity > 0
    assert [reason.what for reason in insulted.reasons] == ["they insulted me", "they praised me"]


def test_it_rests_where_the_persona_says_and_with_strangers_at_nothing() -> None:
    config = ada(
        initial_memory={
            "relationships": [
                {"handle": "@Bob", "attitude": "I love him, he is wonderful."},
                {"handle": "eve", "attitude": "A horrible, hateful liar."},
            ]
        }
    )

    friend, enemy, stranger = (at_rest(config, handle, NOW) for handle in ("bob", "Eve", "joe"))

    assert friend.affinity > 0.5
    assert enemy.affinity < 0
    assert friend.familiarity == enemy.familiarity > 0
    assert stranger == Relationship(handle="joe", as_of=NOW)
    assert closeness(friend) > closeness(enemy) > closeness(stranger) == 0
