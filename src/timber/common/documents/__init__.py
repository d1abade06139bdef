"""YAML and JSON files read with the place of every value, and validated with located errors."""

from timber.common.documents.document import Document, Mark, Path, ProblemList
from timber.common.documents.json_text import parse_json
from timber.common.documents.reader import read_document
from timber.common.documents.validation import closest, validate
from timber.common.documents.yaml_text import is_plain_text, parse_yaml

__all__ = [
    "Document",
    "Mark",
    "Path",
    "ProblemList",
    "closest",
    "is_plain_text",
    "parse_json",
    "parse_yaml",
    "read_document",
    "validate",
]
