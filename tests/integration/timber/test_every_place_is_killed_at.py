"""No place on the way of what must survive a kill is without a test that kills there.

By construction: `reach` takes members of enumerations alone, the kill tests take their places
from these, and each demands that its process was killed there. So a new place in one of them is
killed at, or its test fails; and a new enumeration that no kill test takes up fails here.
"""

import importlib
import pkgutil

import pytest
from tests.integration.timber.gdpr import test_killed as erasure
from tests.integration.timber.keys import test_killed as keys, test_master_rotation as master
from tests.integration.timber.migrations import test_encryption as migrations
from tests.integration.timber.retention import test_killed_anywhere as retention

import timber.common
from timber.common.failpoints import NamedPlace

pytestmark = pytest.mark.integration

_KILLING = (erasure, keys, master, migrations, retention)


def test_processes_are_killed_at_every_named_place() -> None:
    for module in pkgutil.walk_packages(timber.common.__path__, "timber.common."):
        importlib.import_module(module.name)

    kinds = [kind for kind in NamedPlace.__subclasses__() if kind.__module__.startswith("timber.")]
    places = [place for kind in kinds for place in kind]

    assert len(places) > len(_KILLING)
    assert len(set(places)) == len(places)
    assert set(places) == {place for module in _KILLING for place in module.KILLED}
