"""What is of no concern to most units is left out: they find memories by their words."""

import pytest


@pytest.fixture(autouse=True)
def words_only(clean_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no model for each store; who wants one names it."""
    monkeypatch.setenv("PUPPET_EMBEDDER", "none")
