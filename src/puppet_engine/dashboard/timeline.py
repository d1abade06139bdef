"""The timeline: what was said, with every answer under what it answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from puppet_engine.dashboard.faces import Face
from puppet_engine.dashboard.happenings import Failed, Happening, Kept, Published, Traded

DEEPEST: Final = 20
"""Answers further down stand beside what they answer; the page indents fewer than this."""

LONGEST: Final = 60
"""How many conversations a timeline shows."""


@dataclass
class Entry:
    """A post, or a note about somebody, with what was answered to it, oldest first."""

    id: str
    kind: Literal["post", "trade", "failure"]
    face: Face
    text: str
    at: datetime
    in_reply_to: str | None = None
    reply_to_handle: str | None = None
    part: int = 1
    """Which post of a thread it is, of `parts`; all stand under the first one."""
    parts: int = 1
    replies: list["Entry"] = field(default_factory=list)


@dataclass(frozen=True)
class Recollection:
    """Something somebody keeps in memory."""

    agent_id: str
    face: Face
    type: str
    content: str
    at: datetime


def entry_of(happening: Happening, *, faces: Mapping[str, Face]) -> Entry | None:
    """Return what the timeline shows of a happening; `None` when that is nothing.

    `faces` are those of the cast, by id and by handle.
    """
    payload = happening.payload
    face = _face_of(happening, faces)
    match payload:
        case Published():
            return Entry(
                id=payload.post_id,
                kind="post",
                face=Face(name=payload.name, handle=payload.handle),
                text=payload.text,
                at=happening.at,
                in_reply_to=payload.conversation_id if payload.goes_on else payload.in_reply_to,
                reply_to_handle=payload.reply_to_handle,
                part=payload.part,
                parts=payload.parts,
            )
        case Traded():
            return Entry(happening.event_id, "trade", face, payload.text, happening.at)
        case Failed():
            return Entry(happening.event_id, "failure", face, payload.error, happening.at)
        case Kept():
            return None


def recollection_of(happening: Happening, *, faces: Mapping[str, Face]) -> Recollection | None:
    """Return the memory that a happening is about; `None` when it is about none."""
    payload = happening.payload
    if not isinstance(payload, Kept):
        return None
    face = _face_of(happening, faces)
    return Recollection(happening.agent_id, face, payload.type, payload.content, happening.at)


def _face_of(happening: Happening, faces: Mapping[str, Face]) -> Face:
    payload = happening.payload
    told = payload.agent_id if isinstance(payload, Failed) else ""
    key = payload.handle or happening.agent_id or told
    return faces.get(key) or Face(name=key, handle=key)


def thread(entries: Iterable[Entry]) -> list[Entry]:
    """Return the conversations, the one last spoken in first.

    `entries` come oldest first. An answer to what is not among them begins a conversation.
    """
    root_of: dict[str, str] = {}
    holder_of: dict[str, tuple[Entry, int]] = {}
    conversations: dict[str, Entry] = {}
    for entry in entries:
        holder, depth = holder_of.get(entry.in_reply_to or "", (None, 0))
        if holder is None:
            root_of[entry.id] = entry.id
            conversations[entry.id] = entry
        else:
            holder.replies.append(entry)
            root = root_of[entry.id] = root_of[entry.in_reply_to or ""]
            conversations[root] = conversations.pop(root)
        is_deepest = holder is not None and depth >= DEEPEST
        holder_of[entry.id] = (holder, depth) if holder and is_deepest else (entry, depth + 1)
    return list(reversed(conversations.values()))[:LONGEST]
