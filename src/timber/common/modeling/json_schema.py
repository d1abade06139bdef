"""The JSON Schema of model files, by which editors complete and check them."""

from typing import Any, Final

from timber.common.modeling.spec import ModelFile

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def model_file_schema() -> dict[str, Any]:
    """Return the schema of one model file, JSON or YAML."""
    return {"$schema": _DRAFT, **ModelFile.model_json_schema(), "title": "Timber model file"}
