"""Words by which people call what is urgent, escalated or broken, in the languages of the field.

They only propose: what they find is counted in what is really in use, and said with its counts.
"""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"\b(p|prio|priority|priorität|sev|severity|s)[ _-]*([0-5])\b")
_NOT = frozenset({"not", "no", "non", "un", "de", "ex", "nicht", "kein", "keine", "pas", "sin", "niet", "geen", "ikke"})

# the highest of all
TOP = frozenset({
    "p0", "p1", "prio0", "prio1", "priority0", "priority1", "priorität1", "sev0", "sev1", "severity0", "severity1",
    "s1", "immediate",
    "urgent", "critical", "highest", "blocker", "emergency", "outage", "showstopper", "asap",
    "dringend", "kritisch", "höchste", "höchster", "höchst", "notfall", "sofort", "blockierend",
    "critique", "bloquant", "bloquante", "urgence", "plus haute", "plus élevée",
    "urgente", "crítico", "crítica", "critico", "critica", "bloqueante", "bloccante", "más alta", "mais alta",
    "massima",
    "kritiek", "spoed", "hoogste", "akut", "kritisk", "brådskande", "haster", "högst", "högsta", "høyest", "højest",
    "pilne", "krytyczny", "krytyczna", "najwyższy", "срочно", "критический", "критичный", "наивысший",
    "acil", "kritik", "緊急", "最高", "紧急", "严重", "긴급",
})  # fmt: skip
# the second of four or five: as a code, and in words that say it only where an urgency is asked for
SECOND = frozenset({"p2", "prio2", "priority2", "priorität2", "sev2", "severity2", "s2"})
HIGH = SECOND | frozenset({
    "high", "hoch", "hohe", "haute", "élevée", "alta", "alto", "hoog", "hög", "høj", "høy", "wysoki", "высокий", "高",
})  # fmt: skip
# what a field is called that says how urgent something is
URGENCY = frozenset({
    "severity", "sev", "priority", "prio", "urgency", "impact", "schweregrad", "priorität", "dringlichkeit",
    "sévérité", "gravité", "priorité", "urgence", "severidad", "gravedad", "prioridad", "urgencia", "severidade",
    "prioridade", "urgência", "gravità", "severità", "priorità", "urgenza", "prioriteit", "ernst", "prioritet",
    "allvarlighetsgrad", "приоритет", "срочность", "優先度", "重大度", "优先级", "严重程度",
})  # fmt: skip
ESCALATED = frozenset({
    "escalated", "escalation", "escalations", "escalate", "eskaliert", "eskalation", "eskalationen", "escalade",
    "escaladé", "escaladée", "escalado", "escalada", "escalamiento", "escalonado", "geëscaleerd",
    "escalatie", "eskalerad", "eskalering", "eskaleret", "eskalert", "eskalacja", "эскалация", "エスカレーション",
    "升级",
})  # fmt: skip
BUG = frozenset({
    "bug", "bugs", "defect", "defects", "fehler", "error", "defekt", "bogue", "anomalie", "défaut", "erreur", "defecto",
    "fallo", "falla", "erro", "defeito", "difetto", "errore", "fout", "fel", "fejl", "feil", "błąd", "ошибка", "дефект",
    "hata", "バグ", "不具合", "缺陷", "버그",
})  # fmt: skip
# types of a service desk, which may be bugs or not
INCIDENT = frozenset({
    "incident", "problem", "störung", "vorfall", "incidente", "incidencia", "problème", "storing", "инцидент",
})  # fmt: skip


def says(name: str, words: frozenset[str]) -> bool:
    """Whether a name says one of the words, and not the contrary. `P 1`, `prio-1` and `P1` are one word."""
    folded = unicodedata.normalize("NFC", name).casefold()
    spoken = _WORD.findall(_JOINED.sub(r"\1\2", folded))
    if _NOT & set(spoken):
        return False
    line = f" {' '.join(spoken)} "
    return any(f" {word} " in line or (not word.isascii() and _has_no_blanks(word) and word in line) for word in words)


def _has_no_blanks(word: str) -> bool:
    """Whether a word is of a script that sets no blanks between words."""
    return all(ord(letter) >= 0x3040 for letter in word)
