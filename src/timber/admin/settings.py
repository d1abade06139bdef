"""What an operator sets for the admin site in the environment, where no process list shows it."""

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from timber.common.errors import ConfigurationError

SHORTEST_PASSWORD = 8


class AdminSettings(BaseSettings):
    """Each is read from `TIMBER_ADMIN_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="TIMBER_ADMIN_", frozen=True, hide_input_in_errors=True
    )

    password: SecretStr | None = Field(default=None, min_length=SHORTEST_PASSWORD)
    """What people log in with; made up and printed at the start when it is not set."""


def load_admin_settings() -> AdminSettings:
    """Read the environment.

    Raises:
        ConfigurationError: a setting cannot be used.

    """
    try:
        return AdminSettings()
    except ValidationError as error:
        raise ConfigurationError(
            f"TIMBER_ADMIN_PASSWORD has fewer than {SHORTEST_PASSWORD} characters: "
            "set a longer one, or none to have one made up"
        ) from error
