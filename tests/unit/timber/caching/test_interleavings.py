"""No order of steps makes the cache tell what is older than its bound; the naive one is caught."""

import pytest
from hypothesis import Phase, find, given, settings, strategies as st
from tests.unit.timber.caching.interleaving import (
    Careless,
    Fenced,
    Naive,
    Order,
    Plan,
    Reads,
    orders,
    plans,
    run,
)

pytestmark = pytest.mark.unit


@settings(max_examples=120, deadline=None)
@given(plan=plans, order=orders)
def test_nobody_is_told_what_is_older_than_the_bound(plan: Plan, order: Order) -> None:
    assert run(Fenced, plan, order, faults=False) == []


@settings(max_examples=120, deadline=None)
@given(plan=plans, order=orders)
def test_nor_while_the_shared_cache_comes_and_goes_and_writers_die(
    plan: Plan, order: Order
) -> None:
    assert run(Fenced, plan, order, faults=True) == []


@pytest.mark.parametrize("defect", [Naive, Careless])
def test_a_planted_defect_is_caught(defect: type[Reads]) -> None:
    plan, order = find(
        st.tuples(plans, orders),
        lambda case: bool(run(defect, *case, faults=False)),
        settings=settings(
            max_examples=5000, deadline=None, database=None, phases=[Phase.generate]
        ),
    )

    assert run(defect, plan, order, faults=False) != []
