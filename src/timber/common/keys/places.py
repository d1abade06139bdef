"""Where keys lie, as the settings say, or as it is usual for a kind of database."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from timber.common.errors import ConfigurationError
from timber.common.keys.base import MasterKeys
from timber.common.keys.master_file import FileMasterKeys
from timber.common.keys.master_text import GivenMasterKeys, MemoryMasterKeys
from timber.common.settings import TimberSettings

STORE_FILE: Final = "keystore.db"
MASTER_FILE: Final = "master.key"
_IN_MEMORY: Final = frozenset({None, "", ":memory:"})
_MEMORY_URL: Final = "sqlite:///:memory:"


@dataclass(frozen=True, kw_only=True)
class KeyPlaces:
    """Where a keystore is, and what keeps its master keys."""

    masters: MasterKeys
    file: Path | None = None
    """A file of SQLite; else it is at `url`."""
    url: str = _MEMORY_URL
    """PostgreSQL, or memory."""

    @property
    def is_kept(self) -> bool:
        """Whether the keys outlive the process."""
        return self.url != _MEMORY_URL or self.file is not None

    @property
    def is_together(self) -> bool:
        """Whether a copy of one folder has the keystore and its master key."""
        return (
            self.file is not None
            and isinstance(self.masters, FileMasterKeys)
            and self.masters.file.parent == self.file.parent
        )

    @property
    def is_there(self) -> bool | None:
        """Whether there is something; None where only a look into the database tells."""
        return self.file.exists() if self.file else None

    @property
    def where(self) -> str:
        """The place in words for people, without a password."""
        if self.file:
            return str(self.file.parent)
        return repr(make_url(self.url)) if self.is_kept else "memory"


def key_places(settings: TimberSettings, *, user_data: Path) -> KeyPlaces:
    """Return where the keys of these settings lie; nothing is looked at.

    Raises:
        ConfigurationError: `keystore` is no place, or the same as that of the data.

    """
    database = make_url(settings.database_url)
    given = settings.keystore
    if given is not None and "://" in given:
        url = _server(given, database)
        folder = _users_folder(url, user_data)
        return KeyPlaces(url=given, masters=_masters(settings, folder / MASTER_FILE))
    if given is None and _is_in_memory(database):
        return KeyPlaces(masters=_masters(settings, None))
    folder = Path(given) if given is not None else _usual_folder(database, user_data)
    return KeyPlaces(file=folder / STORE_FILE, masters=_masters(settings, folder / MASTER_FILE))


def _masters(settings: TimberSettings, usual: Path | None) -> MasterKeys:
    if settings.master_key is not None:
        return GivenMasterKeys(settings.master_key)
    file = settings.master_key_file or usual
    return FileMasterKeys(file) if file is not None else MemoryMasterKeys()


def _server(given: str, database: URL) -> URL:
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        # Not `from error`: the URL in its text may hold a password.
        raise ConfigurationError("keystore is not a URL: write postgresql://…") from None
    if url.get_backend_name() != "postgresql":
        raise ConfigurationError(
            "keystore: give a folder, or the URL of a PostgreSQL database of its own"
        )
    if (url.host, url.port, url.database) == (database.host, database.port, database.database):
        raise ConfigurationError(
            "keystore: that is the database of the data, whose backups would then hold the keys "
            "of what was erased: give the keys a database of their own"
        )
    return url


def _is_in_memory(database: URL) -> bool:
    return database.get_backend_name() == "sqlite" and database.database in _IN_MEMORY


def _usual_folder(database: URL, user_data: Path) -> Path:
    if database.get_backend_name() != "sqlite":
        return _users_folder(database, user_data)
    name = str(database.database)
    if name.startswith("file:"):
        raise ConfigurationError(
            "keystore: say in which folder keys are to lie; `database_url` names no plain file"
        )
    return Path(f"{name}.keys")


def _users_folder(url: URL, user_data: Path) -> Path:
    server = hashlib.sha256(f"{url.host or ''}:{url.port or 5432}".encode()).hexdigest()[:8]
    return user_data / "timber" / "keys" / f"{url.database}-{server}"
