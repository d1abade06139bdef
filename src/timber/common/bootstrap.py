"""Opens and closes the process-wide Timber."""

from collections.abc import Iterable
from pathlib import Path

from timber.common.runtime import default_timber


def initialize_timber(  # noqa: PLR0913 - one switch each, all by keyword
    model_config_dirs: Iterable[str | Path] | None = None,
    *,
    database_url: str | None = None,
    create_tables: bool | None = None,
    enable_encryption: bool | None = None,
    enable_caching: bool | None = None,
    enable_gdpr: bool | None = None,
    enable_auto_vector_ingestion: bool | None = None,
    keystore: str | Path | None = None,
) -> None:
    """Load the models, connect the database and create the tables: all of it, or nothing.

    What is left out comes from `config`, the environment (`TIMBER_…`) and the defaults.
    A second call with the same settings does nothing.

    Raises:
        AlreadyOpenError: Timber is open with other settings.
        ConfigurationError: a setting cannot be used.
        KeystoreError: a model is encrypted, and its keys are missing, or those of other data.
        ModelFileError: model files are broken; holds every problem.
        DatabaseError: the tables cannot be created.

    """
    given = {
        "model_config_dirs": None if model_config_dirs is None else tuple(model_config_dirs),
        "database_url": database_url,
        "create_tables": create_tables,
        "enable_encryption": enable_encryption,
        "enable_caching": enable_caching,
        "enable_gdpr": enable_gdpr,
        "enable_auto_vector_ingestion": enable_auto_vector_ingestion,
        "keystore": None if keystore is None else str(keystore),
    }
    said = {name: value for name, value in given.items() if value is not None}
    default_timber.open(default_timber.config.settings(**said))


def shutdown_timber() -> None:
    """Close the database and forget the models; calling it again does nothing."""
    default_timber.close()
