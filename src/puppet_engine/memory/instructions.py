"""Telling what is said to a machine from what is said to somebody, in some twenty languages.

A net, not a judge: what passes it is still only data in a prompt, and never decides on a trade.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from puppet_engine.memory.disguises import bare, readings

_IN_ENGLISH: Final = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|the|any)\b"
    r".{0,30}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|programming|orders?|context)\b"
    r"|\b(?:system|developer|hidden|initial)\s+(?:prompt|message|instructions?)\b"
    r"|\b(?:reveal|print|repeat|show|leak|tell\s+me|output)\b.{0,30}\b(?:your|the)\b.{0,20}"
    r"\b(?:prompt|instructions?|private\s+key|seed\s+phrase|api\s+key|password|secret)\b"
    r"|\b(?:you\s+are|you're)\s+now\s+(?:(?:an?|the|my)\s+(?:\S+\s+){0,3}"
    r"(?:assistant|ai|bot|model|persona|character|terminal|admin)|free|unrestricted|dan|in\s+\S+\s+mode)\b"
    r"|\bfrom\s+now\s+on\b.{0,20}\b(?:you|your|always|never|respond|reply|answer|act)\b"
    r"|\byour\s+(?:new|real|true|actual|updated)\s+(?:instructions?|orders?|directives?|tasks?|mission)\s+(?:is|are)\b"
    r"|\b(?:new|updated)\s+(?:instructions?|directives?)\s*:"
    r"|\b(?:pretend|act|behave|respond|roleplay)\b.{0,15}\b(?:to\s+be|as\s+if|as\s+(?:a|an|my)|like\s+(?:a|an))\b"
    r"|(?:^|[.!?:]\s+|please\s+|must\s+)(?:remember|store|save|note|memori[sz]e)\b.{0,30}"
    r"\b(?:that\s+you\s+(?:are|must|should|have|owe|promised|always|never)|in\s+your\s+memory)\b"
    r"|\b(?:send|transfer|swap|buy|sell|airdrop|withdraw)\b.{0,20}\b\d[\d.,]*\s*(?:sol|eth|btc|usdc|usdt|tokens?|coins?)\b"
    r"|\b(?:jailbreak|dan\s+mode|developer\s+mode|god\s+mode|sudo\s+mode)\b"
    r"|<\|?\s*(?:im_start|im_end|system|endoftext|assistant)\b|\[/?inst\]|^\s*#+\s*(?:system|instructions?)\b"
    r"|^\s*(?:system|assistant)\s*:"
)


@dataclass(frozen=True)
class _Tongue:
    """How a language tells somebody to heed no orders."""

    verbs: str
    which: str
    """Which orders: all of them, those before, yours."""
    orders: str
    """How orders begin, without anything else: looking for that is fast."""

    def stems(self) -> tuple[str, ...]:
        """Return what a text holds that may tell so."""
        return tuple(bare(self.orders).split("|"))

    def pattern(self) -> re.Pattern[str]:
        """Return what finds it in a text in lower case, without accents."""
        verbs, which, orders = (
            bare(f"(?:{some})") for some in (self.verbs, self.which, self.orders)
        )
        gap = ".{0,30}"
        return re.compile(
            f"{verbs}{gap}{which}{gap}{orders}|{verbs}{gap}{orders}{gap}{which}"
            f"|{which}{gap}{orders}{gap}{verbs}",
            re.DOTALL,
        )


_TONGUES: Final = tuple(
    _Tongue(**told)
    for told in tomllib.loads(
        Path(__file__).with_name("tongues.toml").read_text(encoding="utf-8")
    ).values()
)
_SYSTEM_PROMPT: Final = bare(
    r"\bsystem\s?prompt|\bprompt\s+(?:du|del|do|di)\s+sist?em|\bprompt\s+système"
    r"|系统提示|系統提示|システムプロンプト|시스템\s*프롬프트|системн\w*\s+(?:промпт|подсказк)"
)
_SAID: Final = re.compile(f"{_IN_ENGLISH}|{_SYSTEM_PROMPT}", re.MULTILINE | re.DOTALL)
_BY_STEM: Final = tuple((stem, one.pattern()) for one in _TONGUES for stem in one.stems())


@lru_cache(maxsize=1024)
def instructs(text: str) -> bool:
    """Tell whether a text speaks to the agent as one speaks to a machine, disguised or not."""
    return any(map(_instructs, readings(text)))


def _instructs(plain: str) -> bool:
    patterns = {pattern for stem, pattern in _BY_STEM if stem in plain}
    return _SAID.search(plain) is not None or any(one.search(plain) for one in patterns)
