"""A model whose text is encrypted and found by its meaning, and its twin that is in clear."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

_COLUMNS = """
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id}
      - {name: title, type: String(100)}
      - {name: body, type: Text}
      - {name: topic, type: String(20)}
    gdpr: {enabled: true}"""
_SEARCH = """
    vector_search:
      enabled: true
      content_field: [title, body]
      metadata_fields: [topic]
      owner_field: user_id"""
_USERS = """
models:
  - name: User
    table_name: users
    columns:
      - {name: user_id, type: String(36), primary_key: true}
      - {name: username, type: String(50)}"""
_CLEAR = f"""
  - name: Clear
    table_name: clear_notes{_COLUMNS}{_SEARCH}"""
DARK = f"""
  - name: Dark
    table_name: dark_notes{_COLUMNS}
    encryption: {{enabled: true, fields: [body]}}{_SEARCH}
      embeds_encrypted: true"""
DARK_IN_CLEAR = f"""
  - name: Dark
    table_name: dark_notes{_COLUMNS}{_SEARCH}"""

BOTH = _USERS + _CLEAR + DARK
ONLY_DARK = _USERS + DARK
NOT_YET_DARK = _USERS + DARK_IN_CLEAR


def settings_of(
    database_url: str, folder: Path, models: str = BOTH, **given: object
) -> TimberSettings:
    """Return the settings of a Timber over these models, which nothing reads by itself."""
    written = folder / f"models{len(list(folder.iterdir()))}"
    written.mkdir()
    (written / "models.yaml").write_text(models, encoding="utf-8")
    said = {
        "database_url": database_url,
        "model_config_dirs": (written,),
        "packaged_models": False,
        "enable_auto_vector_ingestion": False,
        "keystore": None if ":memory:" in database_url else str(folder / "keys"),
        "key_bound_seconds": 0.01,
        **given,
    }
    return TimberSettings.model_validate(said)


def add_people(timber: Timber, *names: str) -> None:
    user = timber.models.get("User")
    with timber.database.session_scope() as session:
        session.add_all(user(user_id=one, username=one) for one in names)


def add(timber: Timber, model: str, **values: Any) -> str:
    """Store one row, and return its key."""
    kind = timber.models.get(model)
    with timber.database.session_scope() as session:
        row = kind(**{"user_id": "ann", **values})
        session.add(row)
        session.flush()
        return str(row.id)


def found(timber: Timber, query: str, source: str = "dark_notes", **options: Any) -> list[str]:
    """Return the keys of what a search finds, in order."""
    results = timber.vector_search.search(query, source, **options)
    return [one["source_id"] for one in results]


def pieces(timber: Timber, source: str = "dark_notes") -> Sequence[Any]:
    """Return the stored pieces of a source."""
    statement = text("SELECT * FROM vector_chunks WHERE source_type = :source ORDER BY chunk_id")
    with timber.database.engine.connect() as connection:
        return connection.execute(statement, {"source": source}).all()
