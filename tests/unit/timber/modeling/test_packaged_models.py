"""What a distribution that ships models can rely on."""

import sys
from pathlib import Path

import pytest
from tests.unit.timber.conftest import BUILT_IN

from timber.common.errors import ConfigurationError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings


def install(folder: Path, module: str) -> None:
    """Make an importable distribution that registers models."""
    folder.mkdir()
    (folder / "shop_models.py").write_text(module, encoding="utf-8")
    (folder / "widgets.yaml").write_text(
        "models: [{name: Widget, table_name: widgets, "
        "columns: [{name: id, type: Integer, primary_key: true}]}]",
        encoding="utf-8",
    )
    info = folder / "shop-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[timber.models]\nshop = shop_models:directory\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "shop_models", raising=False)
    return site


GOOD = "from pathlib import Path\n\ndef directory():\n    return Path(__file__).parent\n"


def test_models_of_an_installed_distribution_are_loaded(site: Path) -> None:
    install(site, GOOD)

    with Timber().opened(TimberSettings()) as timber:
        assert "Widget" in timber.models.names()


def test_models_of_distributions_can_be_left_out(site: Path) -> None:
    install(site, GOOD)

    with Timber().opened(TimberSettings(packaged_models=False)) as timber:
        assert timber.models.names() == BUILT_IN


def test_a_distribution_that_cannot_be_loaded_is_named(site: Path) -> None:
    install(site, "raise RuntimeError('broken')\n")

    with pytest.raises(ConfigurationError, match="the models 'shop' of shop cannot be loaded"):
        Timber().open(TimberSettings())
