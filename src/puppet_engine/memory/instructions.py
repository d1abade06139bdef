"""Telling what is said to a machine from what is said to somebody, in some twenty languages.

A net, not a judge: what passes it is still only data in a prompt, and never decides on a trade.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
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
        return tuple(bare(self.orders).split("|"))

    def pattern(self) -> re.Pattern[str]:
        verbs, which, orders = (
            bare(f"(?:{some})") for some in (self.verbs, self.which, self.orders)
        )
        gap = ".{0,30}"
        return re.compile(
            f"{verbs}{gap}{which}{gap}{orders}|{verbs}{gap}{orders}{gap}{which}"
            f"|{which}{gap}{orders}{gap}{verbs}",
            re.DOTALL,
        )


# Stems, so that endings do not matter; what a language writes without blanks needs no bounds.
_TONGUES: Final = (
    _Tongue(r"\bignorier|\bvergiss|\bmissachte|\bumgeh", r"\balle|\bvorherig|\bbisherig|\bobig|\bdeine|\bfrüher", r"anweisung|instruktion|regeln|vorgaben|befehle"),
    _Tongue(r"\bignore[sz]?\b|\boublie[sz]?\b|\bneglige", r"\btoutes|\btous|précédent|antérieur|\btes\b|\bvos\b", r"instruction|consigne|règle|directive|ordre"),
    _Tongue(r"\bignor[ae]|\bolvid[ae]|\bomit[ea]|\bdescart", r"\btod[ao]s|anterior|\bprevi[ao]s|\btus\b|\bsus\b", r"instrucciones|reglas|indicaciones|órdenes|directrices"),
    _Tongue(r"\bignor[ae]|\besque[çc][ae]|\bdesconsider", r"\btod[ao]s|anterior|\bprévi[ao]s|\bsuas\b|\bteus\b", r"instruções|regras|orientações|ordens|diretrizes"),
    _Tongue(r"\bignora|\bdimentica|\btrascura", r"\btutt[ei]|precedent|\btue\b|\btuoi\b", r"istruzioni|regole|direttive|ordini"),
    _Tongue(r"\bnegeer|\bvergeet", r"\balle|\bvorige|\beerdere|\bjouw|\bje\b", r"instructies|regels|aanwijzingen|opdrachten"),
    _Tongue(r"\bignorera|\bglöm|\bignorer|\bglem", r"\balla?e?\b|tidigare|tidligere|\bdina\b|\bdine\b", r"instruktion|instruks|regler|anvisning|order"),
    _Tongue(r"\bz?ignoruj|\bzapomnij|\bpomiń", r"wszystki|poprzedni|\bswoje|\btwoje", r"instrukcj|polece|zasad|rozkaz"),
    _Tongue(r"\bignoruj|\bzapomeň", r"všechny|předchozí|\bsvé\b|\bsvoje", r"instrukce|pokyny|pravidla|příkazy"),
    _Tongue(r"игнорируй|забудь|отбрось|пренебреги", r"\bвсе|предыдущ|прежн|\bсвои|\bтвои", r"инструкци|указани|правил|команд|приказ"),
    _Tongue(r"ігноруй|забудь|знехтуй", r"\bвсі|\bусі|попередн|\bсвої", r"інструкці|вказівк|правил|наказ"),
    _Tongue(r"yok\s+say|\bunut|görmezden\s+gel|göz\s+ardı", r"önceki|\btüm|\bbütün|yukarıdaki", r"talimat|kural|komut|yönerge"),
    _Tongue(r"\babaikan|\blupakan", r"sebelumnya|\bsemua|\bseluruh", r"instruksi|perintah|aturan|arahan"),
    _Tongue(r"\bbỏ\s+qua|\bquên", r"trước|tất\s+cả|\bmọi", r"hướng dẫn|chỉ thị|quy tắc|lệnh"),
    _Tongue(r"忽略|无视|無視|忘记|忘記|不要理会|别管", r"之前|以前|以上|先前|所有|你的|上述|全部|一切", r"指令|指示|规则|規則|提示|说明|命令|要求"),
    _Tongue(r"無視|忘れ|破棄", r"以前|これまで|上記|すべて|全て|全ての|前の|あなたの", r"指示|命令|ルール|規則|プロンプト|設定"),
    _Tongue(r"무시|잊어", r"이전|모든|위의|앞선|너의|당신의", r"지시|명령|규칙|지침|프롬프트"),
    _Tongue(r"تجاهل|انس|تجاوز", r"السابق|جميع|كل\b|كافة", r"تعليمات|أوامر|قواعد|توجيهات"),
    _Tongue(r"अनदेखा|नज़रअंदाज़|भूल\s+जा", r"पिछले|सभी|पहले|सारे", r"निर्देश|नियम|आदेश|हिदायत"),
    _Tongue(r"התעלם|שכח", r"הקודמ|כל\b|שלך", r"הוראות|ההוראות|כללים|פקודות"),
    _Tongue(r"αγνόησε|ξέχνα", r"προηγούμεν|όλες|όλους", r"οδηγίες|εντολές|κανόνες"),
)  # fmt: skip
_SYSTEM_PROMPT: Final = bare(
    r"\bsystem\s?prompt|\bprompt\s+(?:du|del|do|di)\s+sist?em|\bprompt\s+système"
    r"|系统提示|系統提示|システムプロンプト|시스템\s*프롬프트|системн\w*\s+(?:промпт|подсказк)"
)
_SAID: Final = re.compile(f"{_IN_ENGLISH}|{_SYSTEM_PROMPT}", re.MULTILINE | re.DOTALL)
_BY_STEM: Final = tuple((stem, one.pattern()) for one in _TONGUES for stem in one.stems())


@lru_cache(maxsize=4096)
def instructs(text: str) -> bool:
    """Tell whether a text speaks to the agent as one speaks to a machine, disguised or not."""
    return any(map(_instructs, readings(text)))


def _instructs(plain: str) -> bool:
    patterns = {pattern for stem, pattern in _BY_STEM if stem in plain}
    return _SAID.search(plain) is not None or any(one.search(plain) for one in patterns)
