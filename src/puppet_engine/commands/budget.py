"""The `puppets budget` command: what language models were used for, and what is left."""

import asyncio
import sys
from typing import Annotated

import httpx2
import typer
from rich.console import Console
from rich.table import Table

from puppet_engine.commands.event_desks import (
    PATIENCE_SECONDS,
    ask_engine,
    open_stopped,
)
from puppet_engine.commands.options import Api, AsJson, Database
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.llm.budget_desk import BudgetDesk, BudgetReport
from puppet_engine.llm.prices import DOLLAR
from puppet_engine.llm.stack import budget_of
from puppet_engine.storage.model_spending import StoredSpending


def budget_command(
    days: Annotated[
        int, typer.Option(min=1, max=400, help="So many days, today included (UTC).")
    ] = 1,
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    as_json: AsJson = False,
    database: Database = None,
    api: Api = None,
) -> None:
    """Tell what agents used language models for, what that cost, and what they have left today."""
    with errors_for_people():
        if api is None:
            report = asyncio.run(_read(database, days, agent))
        else:
            report = asyncio.run(_ask(api, days, agent))
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
        return
    _show(report)


async def _read(database: str | None, days: int, agent: str | None) -> BudgetReport:
    settings = read_settings(database_url=database)
    async with open_stopped(settings.database_url) as storage:
        desk = BudgetDesk(
            book=StoredSpending(storage), budget=budget_of(settings), clock=storage.clock
        )
        return await desk.report(days=days, agent_id=agent)


async def _ask(api: str, days: int, agent: str | None) -> BudgetReport:
    path = "/budget" if agent is None else f"/agents/{agent}/budget"
    async with httpx2.AsyncClient(base_url=api, timeout=PATIENCE_SECONDS) as client:
        data = await ask_engine(client, "GET", path, params={"days": days})
    return BudgetReport.model_validate(data)


def _show(report: BudgetReport) -> None:
    console = Console()
    console.print(_of_today(report))
    console.print(_by_model(report))
    console.print(_limits(report), highlight=False, soft_wrap=True)


def _of_today(report: BudgetReport) -> Table:
    table = Table("agent", "calls", "tokens", "dollars", "of all", "so it asks", title="Today")
    for one in report.today:
        used = one.used
        table.add_row(
            one.agent_id or _NOBODY,
            f"{used.calls:,}",
            f"{used.tokens:,}",
            _dollars(used.cost),
            f"{one.share:.0%}",
            _RUNGS[one.rung.value],
        )
    return table


def _by_model(report: BudgetReport) -> Table:
    table = Table("day", "agent", title="By model")
    table.add_column("model", no_wrap=True)
    for name in ("calls", "open", "input", "output", "dollars"):
        table.add_column(name, justify="right")
    for each in report.spending:
        account, usage = each.account, each.usage
        table.add_row(
            f"{account.day:%d %b}",
            account.agent_id or _NOBODY,
            account.model,
            f"{each.calls:,}",
            f"{each.open.calls:,}",
            f"{usage.input_tokens:,}",
            f"{usage.output_tokens:,}",
            _dollars(each.cost),
        )
    return table


_NOBODY = "(nobody)"

_RUNGS = {
    "full": "its model",
    "smaller": "a smaller model",
    "shorter": "a smaller model, briefly",
    "silent": "nobody until tomorrow",
}


def _limits(report: BudgetReport) -> str:
    tokens, cost = report.limits.tokens, report.limits.cost
    money = "any money" if cost is None else f"{_dollars(cost)} dollars"
    amount = "any tokens" if tokens is None else f"{tokens:,} tokens"
    return (
        f"An agent may use {money} and {amount} a day; "
        f"this one ends at {report.resets_at.isoformat()}.\n"
        "Open calls are under way, or their answers were lost: they count as if they were billed."
    )


def _dollars(cost: int) -> str:
    return f"{cost / DOLLAR:.4f}"
