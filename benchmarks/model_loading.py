<<<<<<< HEAD
"""What it costs to have the models in files instead of in Python."""

from typing import Final

from benchmarks.contenders import many_models
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_most

BENCHMARKS: Final = (
    Benchmark(
        name="model loading",
        about="making mapped classes of fifteen columns each; "
        "the peer imports the same classes, written by hand and compiled before.",
        item="models",
        ours="benchmarks.contenders.timber_models:load",
        peers=(
            Peer(
                name="SQLAlchemy classes",
                run="benchmarks.contenders.sqlalchemy_models:load",
                target=at_most(1.3),
            ),
        ),
        figures=(Figure(unit="CPU ms", of=lambda run: run.cpu_seconds * 1e3),),
        scale=Scale(sizes=(50, 100, 200), headline=200),
        databases=("sqlite", "postgresql"),
        expect=many_models.expected,
    ),
)
=======
"""What it costs to load models from YAML, beside the same classes written by hand.

Each measurement is a process of its own, the contenders in turn; the medians count.
By hand means a module that Python has compiled already, as after its first import,
in the two ways SQLAlchemy knows: annotated (`id: Mapped[str] = mapped_column(…)`) and plain.
Both sides end with configured mappers, and neither touches a database.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

MODELS: Final = 200
COLUMNS: Final = 15
ROUNDS: Final = 7
TARGET: Final = 1.3
"""Our CPU time over that of the classes written by hand."""

_TYPES: Final = (
    ("String(50)", "String(50)", "str"),
    ("Integer", "Integer", "int"),
    ("Text", "Text", "str"),
    ("Boolean", "Boolean", "bool"),
    ("Float", "Float(53)", "float"),
    ("DateTime", "DateTime(timezone=True)", "datetime"),
    ("JSON", "JSON", "Any"),
    ("BigInteger", "BigInteger", "int"),
)
"""As a model file writes them, as SQLAlchemy does, and as Python has them."""

_IMPORTS: Final = """\
import uuid
from datetime import datetime
from typing import Any, Optional
from sqlalchemy import (
    JSON, BigInteger, Boolean, DateTime, Float, ForeignKey, Integer, String, Text
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

class Base(DeclarativeBase):
    pass
"""


def model_file(models: int) -> str:
    """Return a model file; every model points to the one before it."""
    return "models:\n" + "".join(map(_model, range(models)))


def _model(number: int) -> str:
    parent = max(number - 1, 0)
    lines = [
        f"  - name: Model{number}",
        f"    table_name: table_{number}",
        f"    description: Number {number}.",
        "    columns:",
        "      - {name: id, type: String(36), primary_key: true, default: uuid4}",
        "      - name: parent_id",
        "        type: String(36)",
        f"        foreign_key: table_{parent}.id",
        "        index: true",
    ]
    for position in range(COLUMNS - 2):
        written, _, _ = _TYPES[position % len(_TYPES)]
        lines += [
            f"      - name: field_{position}",
            f"        type: {written}",
            f"        nullable: {'false' if position % 2 else 'true'}",
        ]
    lines += [
        "    relationships:",
        f"      - {{name: parent, model: Model{parent}, type: many_to_one}}",
    ]
    return "\n".join(lines) + "\n"


def module(models: int, *, annotated: bool) -> str:
    """Return the same models as a Python module."""
    classes = "".join(_class(number, annotated=annotated) for number in range(models))
    return f"{_IMPORTS}{classes}\nBase.registry.configure()\n"


def _class(number: int, *, annotated: bool) -> str:
    def column(name: str, kind: str, made: str) -> str:
        annotation = f": Mapped[{kind}]" if annotated else ""
        return f"    {name}{annotation} = mapped_column({made})"

    parent = max(number - 1, 0)
    lines = [
        f"\nclass Model{number}(Base):",
        f'    """Number {number}."""',
        f'    __tablename__ = "table_{number}"',
        column("id", "str", "String(36), primary_key=True, default=lambda: str(uuid.uuid4())"),
        column(
            "parent_id",
            "Optional[str]",
            f'String(36), ForeignKey("table_{parent}.id"), index=True',
        ),
    ]
    for position in range(COLUMNS - 2):
        _, built, kind = _TYPES[position % len(_TYPES)]
        required = bool(position % 2)
        annotation = kind if required else f"Optional[{kind}]"
        lines.append(column(f"field_{position}", annotation, f"{built}, nullable={not required}"))
    remote = ', remote_side="Model0.id"' if number == 0 else ""
    annotation = f': Mapped[Optional["Model{parent}"]]' if annotated else ""
    lines.append(f'    parent{annotation} = relationship("Model{parent}"{remote})')
    return "\n".join(lines) + "\n"


def load_yaml(models: int) -> float:
    """Return the CPU seconds that loading the model file takes."""
    from timber.common.runtime import Timber  # noqa: PLC0415 - only this contender needs it
    from timber.common.settings import TimberSettings  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "models.yaml").write_text(model_file(models), encoding="utf-8")
        settings = TimberSettings(model_config_dirs=(Path(folder),), packaged_models=False)
        start = time.process_time()
        with Timber().mapped(settings) as timber:
            taken = time.process_time() - start
            if len(timber.models.names()) != models + 1:  # and `User`
                raise AssertionError("models are missing")
            return taken


def run_module(models: int, *, annotated: bool) -> float:
    """Return the CPU seconds that running the compiled module takes."""
    import sqlalchemy.orm  # noqa: F401, PLC0415 - both sides have it imported

    code = compile(module(models, annotated=annotated), "models_by_hand.py", "exec")
    start = time.process_time()
    exec(code, {"__name__": "models_by_hand"})  # noqa: S102 - our own text, as an import runs it
    return time.process_time() - start


CONTENDERS: Final[dict[str, Callable[[int], float]]] = {
    "model files": load_yaml,
    "SQLAlchemy, annotated": lambda models: run_module(models, annotated=True),
    "SQLAlchemy, plain": lambda models: run_module(models, annotated=False),
}


def measure(models: int, rounds: int) -> dict[str, float]:
    """Return the median CPU seconds of every contender."""
    taken: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, runs in taken.items():
            command = [sys.executable, __file__, "--models", str(models), "--only", name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
            runs.append(float(done.stdout))
    return {name: statistics.median(runs) for name, runs in taken.items()}


def results(models: int, medians: dict[str, float]) -> Iterator[dict[str, object]]:
    """Yield a figure for each way to write the classes by hand."""
    ours = medians["model files"]
    for peer, value in medians.items():
        if peer != "model files":
            ratio = round(ours / value, 3)
            yield {
                "name": f"loading {models} models of {COLUMNS} columns",
                "value": round(ours, 4),
                "unit": "CPU s",
                "peer": peer,
                "peer_value": round(value, 4),
                "ratio": ratio,
                "target": TARGET,
                "met": ratio <= TARGET,
            }


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", choices=CONTENDERS, help="measure once, in this process")
    given = parser.parse_args()
    if given.only:
        print(CONTENDERS[given.only](given.models))
        return
    figures = list(results(given.models, measure(given.models, given.rounds)))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
>>>>>>> language
