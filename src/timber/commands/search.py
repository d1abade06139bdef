"""`timber search`: what is found by its meaning and by its words."""

import json
from typing import Annotated, Any

import typer

from timber.commands.models import AsJson, Database, Directories
from timber.commands.vectors import opened_timber
from timber.common.errors import InvalidRequestError

_SHOWN = 200


def search(  # noqa: PLR0913 - the options of a search
    query: Annotated[str, typer.Argument(help="What is looked for.")],
    directories: Directories = None,
    *,
    source_type: Annotated[
        list[str] | None,
        typer.Option("--source-type", help="Among which texts; may be repeated. All if left out."),
    ] = None,
    limit: Annotated[int, typer.Option(help="How many results.")] = 10,
    filters: Annotated[
        str | None,
        typer.Option("--filters", help='What the metadata must be, as {"year": {"$gte": 2020}}.'),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Whose texts.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each score is made of.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Search texts by what they mean and by their words."""
    with opened_timber(directories, database) as timber:
        found = timber.vector_search.explain(
            query, source_type, limit=limit, filters=_read(filters), owner=owner
        )
    if as_json:
        typer.echo(json.dumps(found, indent=2, default=str, ensure_ascii=False))
        return
    lines = [line for one in found["results"] for line in _told(one, explain=explain)]
    waiting = sum(found["pending"].values())
    lines += [f"{waiting:,} texts still wait for their vectors"] if waiting else []
    typer.echo("\n".join(lines) or "nothing was found")


def _read(filters: str | None) -> Any:
    try:
        return json.loads(filters) if filters is not None else None
    except ValueError as error:
        raise InvalidRequestError(f"--filters is no JSON: {error}") from error


def _told(result: dict[str, Any], *, explain: bool) -> list[str]:
    content = " ".join(result["content"].split())
    shown = content if len(content) <= _SHOWN else f"{content[: _SHOWN - 1]}…"
    lines = [f"{result['score']:.3f}  {result['source_type']} {result['source_id']}: {shown}"]
    if explain:
        legs = result["explain"]
        lines += [
            f"       {name}: {_place(leg)}"
            for name, leg in (("meaning", legs["dense"]), ("words", legs["text"]))
        ]
    return lines


def _place(leg: dict[str, Any] | None) -> str:
    return f"rank {leg['rank']}, score {leg['score']:.3f}" if leg else "not found"
