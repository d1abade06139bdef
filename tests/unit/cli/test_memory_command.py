import pytest
from typer.testing import CliRunner

from puppet_engine.cli import cli
from puppet_engine.commands.memory import _show
from puppet_engine.core.settings import Settings
from puppet_engine.measures.audit import Audit, audit, audit_circles, audit_friends
from puppet_engine.measures.dialogues import Kind
from puppet_engine.measures.doubts import Doubts
from puppet_engine.measures.recall import Recall


async def test_an_audit_tells_the_rates_of_every_kind_of_question() -> None:
    found = await audit(Settings(embedder="none"), seed=7, people=3, topics=4)

    assert found.embedder == "none"
    assert found.kinds.keys() == {*Kind, "all"} - {Kind.OPEN_DOMAIN}
    assert found.kinds["all"].recall[10] > 0.6


async def test_the_second_set_is_audited_as_well() -> None:
    found = await audit_friends(Settings(embedder="none"), seed=7, pairs=1)

    assert {Kind.OPEN_DOMAIN, Kind.MULTI_HOP, "all"} <= found.kinds.keys()
    assert found.kinds["all"].recall[10] > 0.5
    assert found.kinds["all"].margins[10] > found.kinds["all"].recall[10] * 0.05
    assert found.doubts.unanswerable == 24


def test_an_embedder_that_is_not_known_is_told() -> None:
    told = CliRunner().invoke(cli, ["memory", "audit", "--embedder", "minilmm"])

    assert told.exit_code == 2
    assert "minilm" in told.output


def test_an_audit_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    margins = {1: 0.1, 5: 0.1, 10: 0.12}
    rates = Recall(
        questions=3,
        recall={1: 0.25, 5: 0.5, 10: 0.75},
        margins=margins,
        mrr=0.33,
        p50_ms=1,
        p95_ms=2,
    )

    doubts = Doubts(unanswerable=8, right=0.75, answerable=4, wrong=0.25, kinds={"untold": 0.75})

    _show(Audit(embedder="none", memories=12, kinds={"all": rates}, doubts=doubts))

    told = capsys.readouterr().out
    assert "0.75 ± 0.12" in told
    assert "12 memories, found by their words alone." in told
    assert "to 75%; of" in told


async def test_the_held_out_set_is_audited_apart() -> None:
    found = await audit_circles(Settings(embedder="none"), seed=7)

    assert found.kinds["all"].questions == found.doubts.answerable == 77
    assert found.kinds["all"].recall[10] > 0.5
    assert found.doubts.kinds.keys() == {"of another", "untold"}
    assert found.doubts.right > found.doubts.wrong


def test_only_one_set_is_told_at_a_time() -> None:
    told = CliRunner().invoke(cli, ["memory", "audit", "--friends", "--held-out"])

    assert told.exit_code == 2
    assert "one set at a time" in told.output
