"""Reads a file as what its name says it is."""

import pathlib

from timber.common.documents.document import Document
from timber.common.documents.json_text import parse_json
from timber.common.documents.text import MAX_BYTES
from timber.common.documents.yaml_text import parse_yaml
from timber.common.errors import DocumentError


def read_document(file: pathlib.Path) -> Document:
    """Read a `.json` file as JSON, and any other as YAML.

    Raises:
        DocumentError: the file cannot be read, or is not what its name says.

    """
    source = str(file)
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentError([f"{source}:1:1: cannot be read: {error.strerror}"]) from error
    parse = parse_json if file.suffix == ".json" else parse_yaml
    return parse(content, source=source)
