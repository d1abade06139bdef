"""Extension points: what other distributions add to the engine by entry points.

| group                          | an entry is                                            |
|--------------------------------|--------------------------------------------------------|
| `puppet_engine.networks`       | `(account: Mapping[str, str], clock: Clock) -> SocialNetwork` |
| `puppet_engine.llm_providers`  | `(settings: Settings) -> LLMProvider`                  |
| `puppet_engine.actions`        | an `Action`: something more an agent can do            |
| `timber.models`                | `() -> Path`: a folder of model files (read by Timber) |
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from puppet_engine.core.errors import ConfigurationError


def find_plugin(group: str, name: str, *, built_in: Mapping[str, Any]) -> Any:
    """Return what `name` stands for: a built-in thing, else what a distribution registered.

    Raises:
        ConfigurationError: nothing of that name is there, or it cannot be loaded.

    """
    if name in built_in:
        return built_in[name]
    found = {entry.name: entry for entry in entry_points(group=group)}
    if name not in found:
        known = ", ".join(sorted({*built_in, *found}))
        raise ConfigurationError(f"{group} has no {name!r}; there are: {known}")
    entry = found[name]
    try:
        return entry.load()
    except Exception as error:
        origin = entry.dist.name if entry.dist else "an unknown distribution"
        raise ConfigurationError(
            f"the plug-in {name!r} of {origin} cannot be loaded from {entry.value!r}: {error}"
        ) from error


def plugin_names(group: str) -> list[str]:
    """Return the names that installed distributions registered, sorted."""
    return sorted({entry.name for entry in entry_points(group=group)})
