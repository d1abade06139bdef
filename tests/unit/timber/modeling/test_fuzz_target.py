"""A short run of the fuzz target, so that it is fit to run for long."""

import pytest
from fuzz.model_files import SEEDS, fuzz, load


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_of_the_fuzz_target_is_taken_or_refused_in_order(seed: bytes) -> None:
    load(seed)


def test_files_that_were_right_once_never_bring_a_traceback() -> None:
    fuzz(60)
