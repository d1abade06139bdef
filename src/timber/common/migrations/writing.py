"""The text of a step's file."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations import MigrateOperation
from alembic.operations.ops import DowngradeOps, UpgradeOps

from timber.common.migrations.rendering import render_item

_FILE: Final = '''"""{description}

{summary}
"""

{imports}

revision = {revision!r}
down_revision = {after!r}
tables = (  # of all models, from this step on
{tables})


def upgrade() -> None:
    """Change the tables."""
    {upgrade}


def downgrade() -> None:
    """Change them back."""
    {downgrade}
'''


def text_of_step(  # noqa: PLR0913 - the parts of the file, each by its name
    context: MigrationContext,
    *,
    revision: str,
    after: str | None,
    description: str,
    summary: Sequence[str],
    tables: Iterable[str],
    upgrade: Sequence[MigrateOperation],
    downgrade: Sequence[MigrateOperation],
) -> str:
    """Return the file of a step."""
    there = _code(UpgradeOps(list(upgrade)), context)
    back = _code(DowngradeOps(list(downgrade)), context)
    return _FILE.format(
        description=_plain(description),
        summary="\n".join(f"- {_plain(line)}" for line in summary),
        imports="\n".join(_imports(there + back)),
        revision=revision,
        after=after,
        tables="".join(f"    {name!r},\n" for name in sorted(tables)),
        upgrade=there,
        downgrade=back,
    )


def _code(operations: UpgradeOps | DowngradeOps, context: MigrationContext) -> str:
    code = render_python_code(
        operations, render_as_batch=True, render_item=render_item, migration_context=context
    )
    lines = [line.rstrip() for line in code.splitlines()]
    return "\n".join(_tidy(line for line in lines if line and not _is_noise(line))).lstrip()


def _is_noise(line: str) -> bool:
    return line.lstrip().startswith("# ###")


def _tidy(lines: Iterable[str]) -> Iterator[str]:
    """Indent what stands between parentheses, and leave out what goes without saying."""
    inside = False
    for line in lines:
        bare = line.strip()
        inside = inside and bare != ")"
        kept = line.replace(", schema=None)", ")") if bare.startswith("with op.") else line
        yield f"    {kept}" if inside else kept
        inside = inside or bare.startswith("op.create_table(")


def _imports(code: str) -> list[str]:
    lines = ["import sqlalchemy as sa", "from alembic import op"]
    if "datetime." in code:
        lines.insert(0, "import datetime\n")
    if "postgresql." in code:
        lines.append("from sqlalchemy.dialects import postgresql")
    if "sqlite." in code:
        lines.append("from sqlalchemy.dialects import sqlite")
    kinds = [name for name in ("HoldsIndex", "HoldsSealed") if f"{name}(" in code]
    if kinds:
        lines.append(f"\nfrom timber.common.modeling.sealed_tables import {', '.join(kinds)}")
    return lines


def _plain(text: str) -> str:
    """Return text that can stand in a docstring."""
    return text.replace("\\", "/").replace('"""', "'''").strip()
