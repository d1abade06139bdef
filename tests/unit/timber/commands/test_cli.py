"""How the `timber` command starts, and what it says when it cannot."""

import sys

import pytest

from timber.cli import main


def test_the_command_that_is_asked_for_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["timber", "schema"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 0
    assert '"title": "Timber model file"' in capsys.readouterr().out


@pytest.fixture
def fresh_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that the commands were imported."""
    for name in [name for name in sys.modules if name.startswith("timber.commands")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("fresh_import")
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "typer", None)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert "pip install 'puppet-engine[cli]'" in capsys.readouterr().err


@pytest.mark.usefixtures("fresh_import")
def test_a_missing_module_of_ours_is_no_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timber.commands.check", None)

    with pytest.raises(ModuleNotFoundError, match=r"timber\.commands\.check"):
        main()
