"""The marks of sets by which near-duplicates are found."""

import numpy as np
from hypothesis import given, strategies as st

from puppet_engine.style.minhash import BANDS, FUNCTIONS, PRIME, hashed, marks

WORDS = st.integers(min_value=0, max_value=2**32 - 1)


@given(st.lists(WORDS, min_size=1, max_size=50))
def test_a_hash_is_what_whole_numbers_without_bounds_make_of_it(numbers: list[int]) -> None:
    found = hashed(np.array(numbers, dtype=np.uint64)).tolist()
    assert found == [
        [(one * factor + added) % PRIME for one in numbers] for factor, added in FUNCTIONS
    ]


def test_the_numbers_at_the_bounds_are_hashed_as_any_other() -> None:
    bounds = [0, 1, 2**31 - 1, 2**31, 2**32 - 1]
    found = hashed(np.array(bounds, dtype=np.uint64)).tolist()
    assert found == [
        [(one * factor + added) % PRIME for one in bounds] for factor, added in FUNCTIONS
    ]


@given(st.sets(st.text(max_size=5), min_size=1, max_size=20))
def test_a_set_has_the_same_marks_in_whichever_order_it_is_read(members: set[str]) -> None:
    assert marks(sorted(members)) == marks(sorted(members, reverse=True))
    assert len(marks(members)) == BANDS
