"""Feeds Timber whatever bytes it is given as a model file: they load, or are refused in order.

With atheris it is guided by coverage: `python fuzz/model_files.py -max_total_time=600`.
Without, Hypothesis mutates files that are right: `python fuzz/model_files.py --examples 10000`.
"""

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings, strategies as st

from timber.common.errors import ModelFileError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

SEEDS: Final = (
    b"""\
mixins:
  - {name: Priced, columns: [{name: price, type: "Numeric(10, 2)", check: price >= 0}]}
association_tables:
  - name: note_tags
    columns:
      - {name: note_id, type: String(36), foreign_key: notes.id, primary_key: true}
      - {name: tag_id, type: Integer, foreign_key: tags.id, primary_key: true}
models:
  - name: Note
    table_name: notes
    mixins: [TimestampMixin, SoftDeleteMixin, OwnerMixin, Priced]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid7}
      - {name: state, type: "Enum(draft, done)", default: draft, server_default: draft}
      - {name: parent_id, type: String(36), foreign_key: notes.id, on_delete: set null}
      - {name: meaning, type: Vector(3)}
    checks: [{name: sane, condition: "state in ('draft', 'done') and not (price < 0)"}]
    indexes: [{name: ix_drafts, columns: [state, id], where: state = 'draft', unique: true}]
    relationships:
      - {name: parent, model: Note, type: many_to_one, back_populates: parts}
      - {name: parts, model: Note, type: one_to_many, back_populates: parent, order_by: id desc}
      - {name: tags, model: Tag, type: many_to_many, secondary: note_tags, lazy: selectin}
    states: {initial: draft, transitions: {draft: [done]}, final: [done]}
    gdpr: {enabled: false, user_id_field: owner_id, export_fields: [state]}
    retention: {enabled: false, after: 30 days}
  - {name: Tag, table_name: tags, columns: [{name: id, type: Integer, primary_key: true}]}
""",
    b"""\
depends: [a.yaml]
models:
  - name: Old
    table_name: olds
    module: app
    mixins: [CacheableMixin, AuditMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.id, indexed: true}
      - {name: seen, type: DateTime, default: utcnow}
    relationships:
      - {name: user, target_model: User, type: many_to_one, backref: olds}
""",
    b"a: &a [1, 2]\nb: &b [*a, *a]\nc: [*b, *b]\n",
)
_WORDS: Final = (
    b"models: columns: users.user_id many_to_one String(36) Array(Integer) NO null [ { &a [1] *a "
    b"!!python/object:os.system 1e999 uuid4 now OwnerMixin back_populates backref primaryjoin "
    b"((( ' \xff"
).split()


def load(data: bytes) -> None:
    """Load the bytes as a model file; anything but a refusal with places is a find."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "models.yaml").write_bytes(data)
        settings_ = TimberSettings(model_config_dirs=(Path(folder),), packaged_models=False)
        try:
            with Timber().mapped(settings_):
                return
        except ModelFileError as error:
            for problem in error.problems:
                _source, line, column, _message = problem.split(":", 3)
                if int(line) < 1 or int(column) < 1:
                    raise AssertionError(problem) from error


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Give a file that was right, with some places overwritten."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        removed = draw(st.integers(0, 12))
        word = draw(st.sampled_from(_WORDS) | st.binary(max_size=6))
        data = data[:start] + word + data[start + removed :]
    return data


def fuzz(examples: int) -> None:
    """Try so many files."""
    quiet = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    quiet(given(mutated() | st.binary(max_size=400))(load))()


def main() -> None:
    """Run until a find, or as long as was asked for."""
    if importlib.util.find_spec("atheris") is None:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--examples", type=int, default=5_000)
        fuzz(parser.parse_args().examples)
        return
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    with tempfile.TemporaryDirectory() as corpus:
        for position, seed in enumerate(SEEDS):
            Path(corpus, f"seed-{position}").write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], load)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
