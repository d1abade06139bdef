"""The `puppets simulate` command."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.simulation.bar import bar
from puppet_engine.simulation.life import Progress
from puppet_engine.simulation.meter import USUAL_PRICE, ModelPrice, read_price
from puppet_engine.simulation.page import write_page
from puppet_engine.simulation.replay import Comparison, compare
from puppet_engine.simulation.report import Report, read_report
from puppet_engine.simulation.scenario import (
    MENTION_POLL_MINUTES,
    FaultKind,
    Scenario,
    read_faults,
)
from puppet_engine.simulation.simulate import simulate

BROKEN: Final = 1
"""The exit code when a promise was broken, or a replay was another life."""

INTERRUPTED: Final = 130

_AT_LENGTH: Final = ("utterances", "people", "answers", "hours", "cascades", "moods", "standings")
"""What is in the report's file only."""


def simulate_command(  # noqa: PLR0913, PLR0917 - one argument an option
    agents: Annotated[int, typer.Option(min=1, max=100_000, help="How many agents live.")] = 1000,
    days: Annotated[float, typer.Option(min=0.01, max=366, help="Virtual days to live.")] = 7,
    seed: Annotated[int, typer.Option(help="Where all chance comes from.")] = 7,
    mention_poll_minutes: Annotated[
        float, typer.Option(min=1, help="Virtual minutes between two looks for mentions.")
    ] = MENTION_POLL_MINUTES,
    faults: Annotated[
        str,
        typer.Option(
            help=f"What goes wrong, with commas between: {', '.join(FaultKind)}; each may be "
            "given a rate, as in crashes=5 (a virtual day) or lost-replies=0.02 (of all)."
        ),
    ] = "",
    price: Annotated[
        str | None,
        typer.Option(
            help="What a model costs, MODEL=INPUT/OUTPUT, dollars for a million tokens each.",
            show_default=f"{USUAL_PRICE.model}={USUAL_PRICE.input_per_million:g}"
            f"/{USUAL_PRICE.output_per_million:g}",
        ),
    ] = None,
    report: Annotated[
        Path, typer.Option(help="Where the report goes; a page of the same name lies beside it.")
    ] = Path("var/simulation.json"),
    replay: Annotated[
        Path | None,
        typer.Option(
            help="Live the life of this report again, and say whether it is the same.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Let a population live some virtual days as fast as this machine can, and report.

    Ctrl-C ends it early, with a report of what was lived so far; a second one at once.
    """
    model = read_price(price) if price else USUAL_PRICE
    before = read_report(replay) if replay else None
    scenario = (
        before.scenario
        if before
        else _scenario(
            agents=agents,
            days=days,
            seed=seed,
            mention_poll_minutes=mention_poll_minutes,
            faults=read_faults(faults),
        )
    )
    _check_can_be_replayed(before, replay)
    life = _simulate(scenario, model, quiet=as_json)
    comparison = compare(before, life) if before and not life.is_partial else None
    if before is None:
        _write(report, life)
    _tell(life, comparison, None if before else report, as_json=as_json)
    _exit(life, comparison)


def _scenario(**chosen: object) -> Scenario:
    try:
        return Scenario.model_validate(chosen)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the scenario'}: {one['msg']}"
            for one in error.errors(include_url=False)
        )
        raise ConfigurationError(f"this cannot be simulated: {problems}") from error


def _check_can_be_replayed(before: Report | None, file: Path | None) -> None:
    if before is not None and before.is_partial:
        raise ConfigurationError(
            f"{file}: this life was broken off by hand, which no seed repeats; "
            "replay one that came to its end"
        )


def _simulate(scenario: Scenario, model: ModelPrice, *, quiet: bool) -> Report:
    with bar(scenario.days, quiet=quiet) as progress:
        return asyncio.run(_until_stopped(scenario, model, progress))


async def _until_stopped(
    scenario: Scenario, model: ModelPrice, progress: Callable[[Progress], None]
) -> Report:
    stop = asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    return await simulate(scenario, progress=progress, stopped=stop.is_set, model=model)


def _write(file: Path, life: Report) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(life.model_dump_json(indent=1) + "\n", encoding="utf-8")
        write_page(life, _page_of(file))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written: {error.strerror}") from error


def _page_of(file: Path) -> Path:
    return file.with_suffix(".html")


def _tell(
    life: Report, comparison: Comparison | None, file: Path | None, *, as_json: bool
) -> None:
    if as_json:
        told = life.model_dump(mode="json", exclude=set(_AT_LENGTH))
        told["replay"] = comparison.model_dump() if comparison else None
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return
    console = Console(soft_wrap=True, highlight=False)
    for line in _lines(life):
        console.print(line, markup=False)
    if comparison is not None:
        verdict = "It is the same life." if comparison.is_same else comparison.difference
        console.print(f"Replay: {verdict}", markup=False)
    if file is not None:
        console.print(f"Report: {file}, and to look at: {_page_of(file)}", markup=False)


def _lines(life: Report) -> list[str]:
    counts, usage, cost = life.counts, life.usage, life.cost
    lived = (
        f"{counts.posts:,} posts, {counts.replies:,} replies and {counts.memories:,} memories of "
        f"{life.scenario.agents:,} agents; {counts.events:,} events in {life.wall_seconds:,.0f} s."
    )
    used = (
        f"{usage.llm_calls:,} calls of a model, {usage.prompt_tokens:,} tokens in and "
        f"{usage.completion_tokens:,} out: ${cost.llm:,.2f} with {cost.model.model}; "
        f"${cost.x:,.2f} on X."
    )
    lines = [lived, used, *(f"{kind}: {count:,}" for kind, count in life.faults.items())]
    for finding in life.findings:
        verdict = "kept" if finding.is_kept else f"BROKEN {finding.broken:,} times"
        lines.append(f"{finding.promise} {verdict} ({finding.checked:,} looked at)")
        lines += [f"  {example}" for example in finding.examples]
    if life.is_partial:
        lines.append(f"Broken off: this is the life up to {life.lived_until:%d %B, %H:%M}.")
    return [*lines, f"Digest: {life.digest}"]


def _exit(life: Report, comparison: Comparison | None) -> None:
    if not life.is_sound or (comparison is not None and not comparison.is_same):
        raise typer.Exit(code=BROKEN)
    if life.is_partial:
        raise typer.Exit(code=INTERRUPTED)
