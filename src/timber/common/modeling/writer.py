"""Writes what a model file says as YAML, so that reading it gives the same again."""

from typing import Any

import yaml
from typing_extensions import override

from timber.common.documents import is_plain_text
from timber.common.modeling.spec import ModelFile


def model_file_text(content: ModelFile) -> str:
    """Return the file as YAML, without what is as it would be anyway."""
    value = content.model_dump(mode="json", exclude_unset=True)
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)


class _Dumper(yaml.SafeDumper):
    """Puts in quotes what YAML 1.2 would not read as text; repeats what occurs twice."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if is_plain_text(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
