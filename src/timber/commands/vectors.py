"""`timber vectors`: how finding by meaning does, reading rows again, changing the embedder."""

import contextlib
from collections.abc import Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy import Engine

from timber.commands.bars import Show, counting_bars
from timber.commands.models import (
    AsJson,
    Database,
    Directories,
    errors_for_people,
    opened,
    print_json,
)
from timber.common.errors import InvalidRequestError
from timber.common.runtime import Timber
from timber.common.vector.fulltext_postgresql import set_language
from timber.common.vector.hnsw import ensure_hnsw, hnsw_name
from timber.common.vector.ingestion import VectorIngestionService
from timber.common.vector.sources import SourceStatus

vectors_app: Final = typer.Typer(
    name="vectors",
    help="What is found by its meaning: how it does, reading it again, changing the embedder.",
    no_args_is_help=True,
)

Source = Annotated[
    list[str] | None,
    typer.Option("--source", help="A source_type; may be repeated. All when left out."),
]


@vectors_app.command()
def status(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Say of each source what is stored of it, what waits, and what keeps it waiting."""
    with _ingestion(directories, database) as ingestion:
        found = ingestion.status()
    if as_json:
        print_json({"sources": [asdict(one) for one in found]})
    else:
        typer.echo("\n".join(map(_told, found)) or "nothing is found by its meaning yet")


@vectors_app.command()
def backfill(
    directories: Directories = None,
    *,
    source: Source = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Read the rows of models again, and give vectors to all that has none.

    On PostgreSQL the indexes are built as `timber vectors index` does it.
    """
    with opened_timber(directories, database) as timber:
        ingestion = timber.vector_ingestion
        with counting_bars(quiet=as_json) as show:
            rows = sum(ingestion.backfill(one) for one in source or (None,))
            chunks = _drain(ingestion, source, show)
            built = _indexed(timber, show)
    if as_json:
        print_json({"rows": rows, "chunks": chunks, "built": built})
        return
    typer.echo(f"read {rows:,} rows, and embedded {chunks:,} pieces")
    _say_built(built)


@vectors_app.command()
def reembed(
    directories: Directories = None,
    *,
    source: Source = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give texts the vectors of the embedder that the settings name.

    The old vectors answer until the new ones are all there. Run it again if it was stopped.
    On PostgreSQL the indexes are built as `timber vectors index` does it.
    """
    with opened_timber(directories, database) as timber:
        ingestion = timber.vector_ingestion
        names = source or [one.source_type for one in ingestion.status() if one.dimension]
        with counting_bars(quiet=as_json) as show:
            done = [ingestion.reembed(one, on_progress=show) for one in names]
            built = _indexed(timber, show)
    if as_json:
        print_json({"sources": [asdict(one) for one in done], "built": built})
        return
    for one in done:
        said = f"{one.chunks:,} pieces embedded anew" if one.chunks else "nothing to do"
        typer.echo(f"{one.source_type}: {said}; its embedder is {one.embedder or 'nameless'}")
    _say_built(built)


@vectors_app.command()
def index(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Build on PostgreSQL the indexes that make searches of many texts without a filter fast.

    One for each length of vectors of which there are 20,000. Writers are not kept waiting.
    """
    with opened_timber(directories, database) as timber:
        _postgresql(timber)
        with counting_bars(quiet=as_json) as show:
            built = _indexed(timber, show)
    if as_json:
        print_json({"built": built})
    elif built:
        _say_built(built)
    else:
        typer.echo("nothing to do")


@vectors_app.command()
def language(
    name: Annotated[str, typer.Argument(help="A text search configuration, such as german.")],
    directories: Directories = None,
    *,
    database: Database = None,
) -> None:
    """Say on PostgreSQL in which language texts are, whose word endings then do not matter."""
    with (
        opened_timber(directories, database) as timber,
        _postgresql(timber).begin() as connection,
    ):
        set_language(connection, name)
    typer.echo(f"all texts were read as {name}")


# ------------------------------------------------------------------ what they share


def _indexed(timber: Timber, show: Show) -> list[str]:
    """Build the indexes of vectors that are wanted and missing; return their names."""
    engine = timber.database.engine
    if engine.dialect.name != "postgresql":
        return []
    lengths = {one.dimension for one in timber.vector_ingestion.status() if one.dimension}
    return [
        hnsw_name(length)
        for length in sorted(lengths)
        if ensure_hnsw(engine, length, on_progress=show)
    ]


def _say_built(names: Sequence[str]) -> None:
    for name in names:
        typer.echo(f"built {name}")


def _postgresql(timber: Timber) -> Engine:
    engine = timber.database.engine
    if engine.dialect.name != "postgresql":
        raise InvalidRequestError("this is for PostgreSQL: SQLite has no use for it")
    return engine


@contextlib.contextmanager
def _ingestion(
    directories: Sequence[Path] | None, database: str | None
) -> Generator[VectorIngestionService]:
    with opened_timber(directories, database) as timber:
        yield timber.vector_ingestion


@contextlib.contextmanager
def opened_timber(directories: Sequence[Path] | None, database: str | None) -> Generator[Timber]:
    """Give a Timber over models and a database; say what is wrong, if anything is."""
    # A flag that was just turned on needs its triggers; migrations make them where they rule.
    with errors_for_people(), opened(directories, database, create_tables=True) as timber:
        yield timber


def _drain(ingestion: VectorIngestionService, source: list[str] | None, show: Show) -> int:
    """Embed what waits, part by part, and return how many pieces that were."""
    total = 0
    for name in source or (None,):
        while (done := ingestion.process_pending(name, limit=1)).rows or done.chunks:
            total += done.chunks
            waiting = sum(
                one.waiting_rows + one.waiting_chunks
                for one in ingestion.status()
                if name in {None, one.source_type}
            )
            show(name or "all", total, total + waiting)
    return total


def _told(one: SourceStatus) -> str:
    whose = f"rows of {one.model}" if one.model else "documents"
    embedder = f"{one.embedder or 'a nameless embedder'} ({one.dimension} numbers)"
    lines = [
        f"{one.source_type}: {whose}; {one.chunks:,} pieces",
        f"  embedder: {embedder if one.dimension else 'none yet'}",
    ]
    if one.waiting_rows or one.waiting_chunks:
        lines.append(
            f"  waiting: {one.waiting_rows:,} written rows, {one.waiting_chunks:,} pieces"
        )
    if one.reembedded_chunks:
        lines.append(
            f"  changing to {one.next_embedder or 'a nameless embedder'}: "
            f"{one.reembedded_chunks:,} of {one.chunks:,}; `timber vectors reembed` goes on"
        )
    if one.lacks_index:
        lines.append(
            "  searched without a filter, all are compared: `timber vectors index` makes it faster"
        )
    lines += [f"  kept waiting by: {problem}" for problem in one.problems]
    return "\n".join(lines)
