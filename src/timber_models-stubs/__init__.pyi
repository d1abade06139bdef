"""What `get_model` returns where a project has no `timber_models.pyi` of its own."""

from typing import Any

def get_model(name: str) -> type[Any]: ...
