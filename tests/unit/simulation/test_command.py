import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from puppet_engine.agents.actions import Turn
from puppet_engine.agents.answering import Noticing
from puppet_engine.cli import cli
from puppet_engine.core.models import TurnOutcome
from puppet_engine.simulation.report import read_report


def simulate(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["simulate", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def lived(tmp_path: Path) -> Path:
    report = tmp_path / "reports" / "life.json"
    code, output = simulate(
        "--agents",
        "4",
        "--days",
        "0.25",
        "--seed",
        "5",
        "--faults",
        "crashes=8",
        "--report",
        str(report),
        "--price",
        "tiny=1/2",
    )
    assert (code, "BROKEN" in output) == (0, False), output
    return report


def test_a_life_is_reported_and_lived_again_and_a_changed_word_is_found(lived: Path) -> None:
    before = read_report(lived)
    assert lived.with_suffix(".html").read_text().startswith("<!doctype html>")
    assert before.cost.model.model == "tiny"

    code, output = simulate("--replay", str(lived))
    assert (code, "Replay: It is the same life." in output) == (0, True), output

    planted = before.utterances[2].model_copy(update={"text": "planted"})
    utterances = [*before.utterances[:2], planted, *before.utterances[3:]]
    changed = before.model_copy(update={"utterances": utterances, "digest": "0" * 64})
    lived.write_text(changed.model_dump_json())

    code, output = simulate("--replay", str(lived), "--json")
    told = json.loads(output)
    assert code == 1
    assert told["digest"] == before.digest
    assert told["replay"]["difference"].startswith("utterance 3 is another one.")
    assert "planted" in told["replay"]["difference"]


def test_a_broken_promise_is_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Who answers everything twice breaks a promise: here, who hears everything twice.
    take = Noticing.take

    async def twice(self: Noticing, turn: Turn) -> TurnOutcome:
        outcome = await take(self, turn)
        return outcome.model_copy(update={"events": outcome.events * 2})

    monkeypatch.setattr(Noticing, "take", twice)

    code, output = simulate(
        "--agents",
        "4",
        "--days",
        "0.25",
        "--mention-poll-minutes",
        "60",
        "--report",
        str(tmp_path / "life.json"),
    )

    assert code == 1
    assert "was heard, once. BROKEN" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--faults", "gremlins"], "no fault 'gremlins'"),
        (["--faults", "lost-replies=0.9"], "at most half of them"),
        (["--price", "free"], "is no price"),
        (["--replay", "nowhere.json"], "nowhere.json: cannot be read"),
    ],
)
def test_what_cannot_be_simulated_is_said_before_anything_is(
    arguments: list[str], message: str
) -> None:
    code, output = simulate(*arguments)

    assert code == 2
    assert message in " ".join(output.split())


def test_what_is_no_report_is_not_replayed(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("{}")

    code, output = simulate("--replay", str(file))

    assert code == 2
    assert "no report of" in output


def test_a_life_that_was_broken_off_by_hand_is_not_replayed(lived: Path) -> None:
    partial = read_report(lived).model_copy(update={"is_partial": True})
    lived.write_text(partial.model_dump_json())

    code, output = simulate("--replay", str(lived))

    assert code == 2
    assert "no seed repeats" in output
