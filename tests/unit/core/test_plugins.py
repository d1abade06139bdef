"""What other distributions add by entry points, with distributions that are really installed."""

from pathlib import Path

import pytest

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.plugins import find_plugin, plugin_names

GROUP = "puppet_engine.networks"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on the path into which a distribution can be put."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def put_distribution(folder: Path, module: str, code: str, *entries: str) -> None:
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n" + "\n".join(entries) + "\n")


def test_what_a_distribution_registers_is_found_by_its_name(install: Path) -> None:
    put_distribution(install, "pigeon_post", "COO = 'coo'", "pigeon = pigeon_post:COO")

    assert find_plugin(GROUP, "pigeon", built_in={}) == "coo"
    assert "pigeon" in plugin_names(GROUP)


def test_a_built_in_thing_cannot_be_replaced_by_a_distribution(install: Path) -> None:
    put_distribution(install, "impostor", "X = 'not x'", "x = impostor:X")

    assert find_plugin(GROUP, "x", built_in={"x": "the real x"}) == "the real x"


def test_an_unknown_name_is_refused_with_those_there_are(install: Path) -> None:
    put_distribution(install, "semaphore", "FLAG = 1", "semaphore = semaphore:FLAG")

    with pytest.raises(ConfigurationError, match=r"no 'smoke'; there are: .*semaphore"):
        find_plugin(GROUP, "smoke", built_in={"x": "x"})


def test_a_plugin_that_cannot_be_loaded_is_named_with_its_distribution(install: Path) -> None:
    put_distribution(install, "wreck", "raise RuntimeError('sunk')", "wreck = wreck:SHIP")

    with pytest.raises(ConfigurationError, match=r"'wreck' of wreck cannot be loaded.*sunk"):
        find_plugin(GROUP, "wreck", built_in={})
