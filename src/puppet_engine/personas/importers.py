"""Personas from other engines: elizaOS's `character.json`, and ZerePy's agents.

What has no counterpart here is left out and named; secrets are never taken along.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from puppet_engine.core.errors import PersonaError
from puppet_engine.core.models import AgentConfig
from timber.common.documents import Document, read_document, validate
from timber.common.errors import DocumentError

Format = Literal["eliza", "zerepy"]

_ELIZA: Final = frozenset(
    {"adjectives", "clients", "knowledge", "lore", "messageExamples", "modelProvider", "plugins",
     "postExamples", "style", "system", "topics", "username"}
)  # fmt: skip
_ZEREPY: Final = frozenset(
    {"config", "example_accounts", "examples", "loop_delay", "tasks", "time_based_multipliers",
     "traits", "use_time_based_weights"}
)  # fmt: skip
_OWN_NAME: Final = re.compile(r"\{\{\s*(?:agentName|name)\s*\}\}")
_CLAUSE: Final = re.compile(r"[^.;:!?\n]+")
_NO: Final = re.compile(r"\b(?:no|never|not|without|avoid|don['\u2019]?t|zero)\b", re.IGNORECASE)
_MARKS: Final = re.compile(r"(?P<what>emoji|hashtag)s?\b", re.IGNORECASE)
_ENDS: Final = (".", "!", "?", ":", ";", ",", "\u2026")
_CLOSING: Final = "\"'\u2019\u201d)]"
_HANDLE_LENGTH: Final = 15
_ID_LENGTH: Final = 64


@dataclass(frozen=True)
class Imported:
    """A persona that came from elsewhere."""

    config: AgentConfig
    origin: Format
    left_out: tuple[str, ...]
    """The keys that mean nothing here, or that must not be taken along."""


@dataclass
class _Taking:
    """Takes the keys of a foreign persona, and knows what nobody took."""

    document: Document
    taken: set[str] = field(default_factory=set)
    parts: list[str] = field(default_factory=list)
    """What was left out of keys that were taken: `style.chat`, `knowledge[1]`."""
    problems: list[str] = field(default_factory=list)

    def text(self, key: str) -> str:
        """Return a text; of one that is a list, its parts side by side."""
        return " ".join(self.texts(key))

    def texts(self, key: str) -> list[str]:
        """Return a list of texts; a text alone is one of them."""
        value = self.value(key)
        values = value if isinstance(value, list) else [] if value is None else [value]
        for place, each in enumerate(values):
            if not isinstance(each, str):
                path: tuple[str | int, ...] = (key, place) if isinstance(value, list) else (key,)
                self.problems.append(self.document.problem(path, "must be text"))
        return self.listed(values)

    def listed(self, value: Any, called: str = "") -> list[str]:
        """Return the texts of a list, or a text alone; the rest is left out of what is `called`.

        Where a text speaks of its persona by a placeholder, the name stands.
        """
        values = value if isinstance(value, list) else [] if value is None else [value]
        if called:
            self.parts += [
                f"{called}[{at}]" for at, it in enumerate(values) if it and not isinstance(it, str)
            ]
        name = str(self.document.value.get("name") or "")
        texts = (_OWN_NAME.sub(lambda _: name, it).strip() for it in values if isinstance(it, str))
        return [text for text in texts if text]

    def value(self, key: str) -> Any:
        self.taken.add(key)
        return self.document.value.get(key)

    def left_out(self) -> tuple[str, ...]:
        return tuple(sorted({*(set(self.document.value) - self.taken), *self.parts}))


def import_persona(file: Path, origin: Format | None = None) -> Imported:
    """Return the persona in a file of another engine; which one, the file shows by its keys.

    Raises:
        PersonaError: the file cannot be read, or is of no engine we know;
            each problem as `file:line:col: what is wrong`.

    """
    try:
        document = read_document(file)
    except DocumentError as error:
        raise PersonaError(error.problems) from error
    if not isinstance(document.value, dict):
        raise PersonaError([document.problem((), "must be a mapping: a persona")])
    made_by = origin or _origin_of(document)
    taking = _Taking(document)
    persona = _READERS[made_by](taking)
    if taking.problems:
        raise PersonaError(taking.problems)
    return Imported(config=_valid(persona, document), origin=made_by, left_out=taking.left_out())


def _origin_of(document: Document) -> Format:
    keys = set(document.value)
    eliza, zerepy = len(keys & _ELIZA), len(keys & _ZEREPY)
    if eliza == zerepy:
        known = "elizaOS writes 'bio', 'style', 'topics'; ZerePy 'bio', 'traits', 'loop_delay'"
        raise PersonaError(
            [document.problem((), f"of which engine is this? {known}: say --format")]
        )
    return "eliza" if eliza > zerepy else "zerepy"


def _valid(persona: Mapping[str, Any], document: Document) -> AgentConfig:
    """Return the persona; what is wrong with it is told at the key of the same name."""
    foreign = Document(
        source=document.source,
        value=persona,
        value_marks=document.value_marks,
        key_marks=document.key_marks,
    )
    try:
        return validate(AgentConfig, foreign)
    except DocumentError as error:
        raise PersonaError(error.problems) from error


# ------------------------------------------------------------------ elizaOS


def _from_eliza(taking: _Taking) -> dict[str, Any]:
    name = taking.text("name")
    bio, system = taking.texts("bio"), taking.text("system")
    manner = taking.value("style")
    style = manner if isinstance(manner, dict) else {}
    of_all, of_posts = (taking.listed(style.get(key), f"style.{key}") for key in ("all", "post"))
    taking.parts += [f"style.{key}" for key in style if key not in {"all", "post"}]
    return {
        **_identity(name, taking.text("username")),
        "description": bio[0] if bio else "",
        "personality": {
            "traits": taking.texts("adjectives"),
            "interests": taking.texts("topics"),
            "speaking_style": _prose(of_all),
            "background": _prose([*bio[1:], *taking.texts("lore")]),
        },
        "style_guide": {
            "formatting": _as_loose_as(of_all + of_posts),
            "content_preferences": of_posts,
            "example_posts": taking.texts("postExamples"),
        },
        "rotating_system_prompts": {"prompts": [system] if system else []},
        "initial_memory": {"knowledge": _knowledge(taking)},
    }


def _knowledge(taking: _Taking) -> list[str]:
    """Return what is known in words; what lies in files elsewhere stays there."""
    return taking.listed(taking.value("knowledge"), "knowledge")


# ------------------------------------------------------------------ ZerePy


def _from_zerepy(taking: _Taking) -> dict[str, Any]:
    bio = taking.texts("bio")
    connections = taking.value("config")
    settings = (
        [it for it in connections if isinstance(it, dict)] if isinstance(connections, list) else []
    )
    return {
        **_identity(taking.text("name"), ""),
        "description": bio[0] if bio else "",
        "personality": {
            "traits": taking.texts("traits"),
            "background": _prose(bio[1:]),
        },
        "style_guide": {
            "formatting": _as_loose_as(()),
            "example_posts": taking.texts("examples"),
        },
        "behavior": {
            **_frequency(settings, taking),
            "interaction_patterns": _likelihoods(taking),
        },
        "llm": _model(settings),
    }


def _frequency(settings: Iterable[Mapping[str, Any]], taking: _Taking) -> dict[str, Any]:
    """Return how long between posts: the interval of its tweets, or of its loop, in seconds."""
    delay = taking.value("loop_delay")
    found = [it["tweet_interval"] for it in settings if "tweet_interval" in it] or [delay]
    seconds = found[0]
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        return {}
    hours = min(max(seconds / 3600, 1 / 60), 24 * 180)
    low, high = round(hours, 4), round(2 * hours, 4)
    return {"post_frequency": {"min_hours_between_posts": low, "max_hours_between_posts": high}}


def _likelihoods(taking: _Taking) -> dict[str, float]:
    """Return probabilities out of the weights of tasks: the heaviest is always done."""
    tasks = taking.value("tasks")
    listed = [it for it in tasks if isinstance(it, dict)] if isinstance(tasks, list) else []
    weights = {str(it.get("name")): it.get("weight") for it in listed}
    numbers = {name: it for name, it in weights.items() if isinstance(it, int | float)}
    most = max(numbers.values(), default=0)
    named = {"reply-to-tweet": "reply_probability", "like-tweet": "like_probability"}
    # Whoever is here posts anyhow, as often as its frequency says.
    taking.parts += [f"tasks: {it}" for it in weights if it not in {*named, "post-tweet"}]
    return {
        ours: round(max(0, numbers[theirs]) / most, 2)
        for theirs, ours in named.items()
        if theirs in numbers and most > 0
    }


def _model(settings: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    models = (it.get("model") for it in settings)
    return next(({"model": it} for it in models if isinstance(it, str) and it), {})


# ------------------------------------------------------------------ both


def _identity(name: str, username: str) -> dict[str, Any]:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_ID_LENGTH]
    handle = re.sub(r"\W", "", username.removeprefix("@"), flags=re.ASCII)[:_HANDLE_LENGTH]
    named = {"handle": handle} if handle else {}
    return {"id": slug or "persona", "name": name, **named}


def _prose(parts: Iterable[str]) -> str:
    """Return the lines of a list as sentences: the others write most of them without a stop."""
    return " ".join(
        part if part.rstrip(_CLOSING).endswith(_ENDS) else f"{part}." for part in parts
    )


def _as_loose_as(rules: Iterable[str]) -> dict[str, bool]:
    """Return a form that forbids only what rules in words do: `no hashtags`, `never use emojis`.

    The others have no such rules but in words, and their texts have both.
    """
    forbidden = {
        match["what"].lower()
        for rule in rules
        for clause in _CLAUSE.findall(rule)
        if (no := _NO.search(clause))
        for match in _MARKS.finditer(clause, no.end())
    }
    return {"uses_emojis": "emoji" not in forbidden, "uses_hashtags": "hashtag" not in forbidden}


_READERS: Final[Mapping[Format, Callable[[_Taking], dict[str, Any]]]] = {
    "eliza": _from_eliza,
    "zerepy": _from_zerepy,
}
