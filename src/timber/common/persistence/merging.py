"""Merges JSON, as RFC 7396 (JSON Merge Patch) says."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A value of JSON: a dict, a list, text, a number, true, false or null."""


def merged(target: Json, patch: Json) -> Json:
    """Return `target` with `patch` merged into it; both stay as they are.

    Objects are merged key by key, to any depth; null takes a key away;
    anything else, lists among them, takes the place of what was there.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
