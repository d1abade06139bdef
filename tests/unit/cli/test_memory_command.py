import pytest
from typer.testing import CliRunner

from puppet_engine.cli import cli
from puppet_engine.commands.memory import _show
from puppet_engine.core.settings import Settings
from puppet_engine.measures.audit import Audit, audit
from puppet_engine.measures.dialogues import Kind
from puppet_engine.measures.doubts import Doubts
from puppet_engine.measures.recall import Recall


async def test_an_audit_tells_the_rates_of_every_kind_of_question() -> None:
    found = await audit(Settings(embedder="none"), seed=7, people=3, topics=4)

    assert found.embedder == "none"
    assert found.kinds.keys() == {*Kind, "all"}
    assert found.kinds["all"].recall[10] > 0.6


def test_an_embedder_that_is_not_known_is_told() -> None:
    told = CliRunner().invoke(cli, ["memory", "audit", "--embedder", "minilmm"])

    assert told.exit_code == 2
    assert "minilm" in told.output


def test_an_audit_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    rates = Recall(questions=3, recall={1: 0.25, 5: 0.5, 10: 0.75}, mrr=0.33, p50_ms=1, p95_ms=2)

    doubts = Doubts(unanswerable=8, right=0.75, answerable=4, wrong=0.25, kinds={"untold": 0.75})

    _show(Audit(embedder="none", memories=12, kinds={"all": rates}, doubts=doubts))

    told = capsys.readouterr().out
    assert "0.75" in told
    assert "12 memories, found by their words alone." in told
    assert "to 75%; of" in told
