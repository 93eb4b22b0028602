"""What an org's own fields and values mean, told by their words: for a first mapping that its administrator reads.

A field has the points of all phrases of a meaning that its name or its label holds, at most 10; a word that speaks
against the meaning takes them all. So `Annual_Contract_Value__c` beats `Contract_Value__c`, and `Previous_ARR__c` is
nothing. How full a field is, and whether its values fit, is counted elsewhere and added to these points.

The words are English, German, French, Spanish, Italian, Portuguese and Dutch, without accents. In a phrase `churn*`
stands for every word that begins so, and `*paket` for every word that ends so, since some languages write one word
where others write two.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from accountpulse.systems.salesforce.schema import TIMES, Field

MOST = 10  # points of a name
PICKLISTS = frozenset({"picklist", "combobox"})
SHORT_TEXTS = frozenset({*PICKLISTS, "string"})
AMOUNTS = frozenset({"currency", "double", "int"})
COUNTS = frozenset({"double", "int"})
FLAGS = frozenset({"boolean"})
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NEGATIONS = frozenset({"not", "no", "non", "never", "un", "ex", "nicht", "kein", "keine"})


def words(text: str) -> tuple[str, ...]:
    """The words of a name: `Annual_ContractValue` → annual, contract, value. Without accents and plural s."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    found = _WORD.findall(_HUMP.sub(" ", plain).casefold())
    return tuple(word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word for word in found)


def bare(name: str) -> str:
    """An API name without its ending and the prefix of a package: `pkg__ARR__c` → ARR."""
    parts = name.split("__")
    return parts[-2] if len(parts) > 1 else name


@dataclass(frozen=True)
class Meaning:
    """What the field of a key, or an object, is called: phrases with their points, and words that speak against it.

    `types`: the kinds of field that it may be; empty: an object.
    """

    phrases: Mapping[str, int]
    against: str = ""
    types: frozenset[str] = frozenset()
    _told: tuple[tuple[tuple[str, ...], int], ...] = field(init=False, repr=False)
    _against: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Words once, since every field of an org is held against them."""
        told = tuple((_phrase(phrase), points) for phrase, points in self.phrases.items())
        object.__setattr__(self, "_told", told)
        object.__setattr__(self, "_against", frozenset(words(self.against)))

    def of_name(self, *texts: str) -> int:
        """The points of a name and its label, 0 to 10."""
        said = [words(text) for text in texts]
        if any(self._against & set(each) for each in said):
            return 0
        return max((min(MOST, sum(n for phrase, n in self._told if _holds(each, phrase))) for each in said), default=0)

    def of(self, each: Field) -> int:
        """The points of a field; 0 where it is of another kind."""
        return self.of_name(bare(each.name), each.label) if each.type in self.types else 0


def _phrase(text: str) -> tuple[str, ...]:
    """The words of a phrase, with their stars."""
    found = []
    for each in text.split():
        word = each.strip("*")
        found.append(each.replace(word, " ".join(words(word))))
    return tuple(found)


def _holds(said: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """Whether the words stand there, one after the other."""
    places = range(len(said) - len(phrase) + 1)
    return any(all(map(_is_word, said[start : start + len(phrase)], phrase)) for start in places)


def _is_word(word: str, meant: str) -> bool:
    if meant.endswith("*"):
        return word.startswith(meant[:-1])
    return word.endswith(meant[1:]) if meant.startswith("*") else word == meant


def named(text: str, stems: Iterable[str], unless: Iterable[str] = ()) -> bool:
    """Whether one of a value's words begins with a stem, or its letters hold one of two words; no word denies it."""
    said = words(text)
    joined = "".join(said)
    return not denied(text, unless) and any(
        each.replace(" ", "") in joined if " " in each else any(_begins(word, each) for word in said) for each in stems
    )


def denied(text: str, unless: Iterable[str]) -> bool:
    """Whether one of a value's words denies what it says, or begins with one of these."""
    said = words(text)
    return bool(set(said) & NEGATIONS) or any(word.startswith(each) for word in said for each in unless)


def _begins(word: str, stem: str) -> bool:
    return word.endswith(stem[1:]) if stem.startswith("*") else word.startswith(stem)


_PAST = "previous prior last old former legacy deprecated obsolete"

# --- the account -------------------------------------------------------------------------------------------------

ARR = Meaning(
    {
        "arr": 10, "annual recurring revenue": 10, "recurring revenue": 8, "acv": 8, "annual contract value": 8,
        "annual": 4, "yearly": 4, "annualized": 4, "recurring": 5, "contracted": 3, "contract": 2, "subscription": 3,
        "mrr": 5, "revenue": 3, "value": 2, "amount": 2, "spend": 2, "worth": 2, "vertragswert": 6, "jahreswert": 8,
        "carr": 10, "jahresvertragswert": 8, "umsatz": 3, "jahr": 3, "fee": 2, "jahrlich*": 4, "jaehrlich*": 4,
        "wiederkehrend*": 5, "jahresumsatz": 7, "annuel*": 4, "recurrent*": 5, "revenu": 3, "valeur": 2, "contrat": 2,
        "montant": 2, "abonnement": 3, "anual*": 4, "recurrente": 5, "ingreso": 3, "valor": 2, "contrato": 2,
        "importe": 2, "suscripcion": 3, "recorrente": 5, "receita": 3, "ricorrent*": 5, "ricavo": 3, "ricavi": 3,
        "valore": 2, "contratto": 2, "jaarlijk*": 4, "terugkerend*": 5, "omzet": 3, "waarde": 2, "contractwaarde": 6,
        "jaaromzet": 7,
    },
    f"{_PAST} potential target forecast lost churned expected open pipeline growth change delta opportunity "
    "overdue date discount budget max min",
    AMOUNTS,
)  # fmt: skip
TIER = Meaning(
    {
        "tier": 10, "service level": 7, "plan": 7, "package": 6, "edition": 6, "level": 4, "grade": 4,
        "membership": 5, "subscription": 3, "product": 1, "class": 3, "paket": 6, "stufe": 6, "kundenstufe": 8,
        "license type": 5, "licence type": 5, "*paket": 6, "*stufe": 6, "tarif": 6, "offre": 6, "formule": 7,
        "forfait": 7, "niveau": 5, "gamme": 5, "nivel": 6, "plano": 7, "paquete": 6, "pacote": 6, "livello": 6,
        "pacchetto": 6, "piano": 6, "pakket": 6, "abonnement*": 4, "edicion": 6,
    },
    f"{_PAST} health risk price score success action renewal partner contact",
    SHORT_TEXTS,
)  # fmt: skip
SEGMENT = Meaning(
    {
        "segment": 10, "company size": 7, "size": 5, "band": 4, "employee range": 5, "category": 4, "market": 4,
        "class": 4, "segmentation": 9, "*segment": 9, "segmento": 10, "taille": 6, "tamano": 6, "tamanho": 6,
        "dimensione": 6, "*grosse": 6, "*groesse": 6, "grootte": 6, "marktsegment": 9,
    },
    f"{_PAST} risk health score campaign",
    SHORT_TEXTS,
)  # fmt: skip
SEATS = Meaning(
    {
        "seat": 10, "licence": 9, "license": 9, "licensed": 8, "user": 5, "contracted": 3, "named": 2, "number of": 2,
        "count": 2, "quantity": 4, "lizenz*": 9, "*lizenzen": 9, "nutzer*": 5, "anwender": 5, "*platze": 6,
        "utilisateur": 5, "licencia": 9, "usuario": 5, "asiento": 8, "puesto": 5, "licenca": 9, "licenza": 9,
        "licenze": 9, "utenti": 5, "utente": 5, "licentie": 9, "gebruiker": 5, "poste": 4,
    },
    f"{_PAST} active used price cost employee login free trial date potential remaining",
    COUNTS,
)  # fmt: skip
OWNER = Meaning(
    {
        "csm": 10, "success manager": 9, "customer success": 8, "success owner": 9, "account manager": 7,
        "relationship manager": 7, "*betreuer": 9, "*betreuerin": 9, "responsable": 6, "charge de": 6, "gestor": 7,
        "gestore": 7, "referente": 6, "accountmanager": 7, "accountbeheerder": 8, "klantverantwoordelijke": 8,
    },
    f"{_PAST} created modified backup",
    frozenset({"reference"}),
)  # fmt: skip
SINCE = Meaning(
    {
        "customer since": 10, "client since": 10, "since": 6, "became customer": 10, "go live": 7, "start": 4,
        "contract": 2, "subscription": 2, "first": 3, "onboarded": 6, "activation": 6, "activated": 6, "signed": 5,
        "joined": 6, "seit": 8, "kunde": 2, "original": 2, "live": 3, "onboarding": 4, "acquisition": 6, "closed": 2,
        "won": 2, "customer from": 8, "date": 1, "depuis": 8, "desde": 8, "client": 2, "cliente": 2, "klant": 2,
        "sind": 8, "cliente dal": 9, "dal": 5, "vertragsbeginn": 8, "*beginn": 5, "debut": 4, "inicio": 4, "alta": 4,
        "inizio": 4, "ingang": 4,
    },
    "renewal renew end ending last next churn churned trial cancel cancelled expiration expiry invoice",
    TIMES,
)  # fmt: skip
RENEWS = Meaning(
    {
        "renewal": 8, "renew": 8, "renews": 8, "next": 2, "contract end": 9, "subscription end": 9, "term end": 9,
        "expiration": 8, "expiry": 8, "expires": 8, "end date": 6, "end": 2, "date": 2, "vertragsende": 9,
        "verlangerung*": 9, "laufzeitende": 9, "contract until": 8, "valid until": 6, "agreement end": 9,
        "renouvellement": 8, "echeance": 8, "fin de contrat": 9, "fin contrat": 9, "renovacion": 8, "vencimiento": 8,
        "fin de contrato": 9, "renovacao": 8, "vencimento": 8, "rinnovo": 8, "scadenza": 8, "verlenging": 8,
        "*einddatum": 8, "contracteinde": 9,
    },
    "last previous prior start started created notice sent reminder warranty trial support email last",
    TIMES,
)  # fmt: skip
UNPAID = Meaning(
    {
        "overdue": 7, "unpaid": 7, "past due": 9, "delinquent": 9, "delinquency": 9, "payment": 4, "billing": 4,
        "invoice": 3, "problem": 4, "issue": 3, "status": 3, "dunning": 9, "credit hold": 8, "open": 1, "late": 4,
        "mahn*": 8, "uberfallig*": 8, "zahlung*": 4, "impaye*": 8, "paiement": 4, "retard": 4, "impago*": 8,
        "pago": 4, "moroso": 8, "mora": 6, "vencida": 6, "pagamento": 4, "insolut*": 8, "achterstallig*": 8,
        "betaling*": 4,
    },
    f"{_PAST} term method date day amount support ticket frequency contact address email health",
    frozenset({*COUNTS, *FLAGS, *PICKLISTS}),
)  # fmt: skip
CUSTOMER_FLAG = Meaning(
    {
        "customer": 8, "client": 8, "active": 2, "paying": 4, "live": 3, "subscriber": 8, "*kunde": 8, "cliente": 8,
        "klant": 8, "activo": 2, "actif": 2, "aktiv*": 2,
    },
    f"{_PAST} portal community reference referenceable lost churned prospect potential priority",
    FLAGS,
)  # fmt: skip
KIND_OF_ACCOUNT = Meaning(
    {
        "type": 5, "status": 5, "stage": 5, "lifecycle": 7, "phase": 4, "kind": 4, "category": 4, "relationship": 5,
        "customer": 4, "client": 4, "account": 2, "state": 3, "record": 1, "kunden*": 4, "*status": 5, "*art": 3,
        "*typ": 5, "*phase": 4, "statut": 5, "estado": 5, "tipo": 5, "etapa": 5, "fase": 4, "stato": 5, "cliente": 4,
        "klant*": 4, "categoria": 4, "categorie": 4, "etape": 4, "relation": 4,
    },
    f"{_PAST} billing shipping payment support onboarding case score health country",
    PICKLISTS | {"string"},
)  # fmt: skip
LIVE_FIELD = frozenset({"status", "statu", "stage", "lifecycle", "phase", "customer", "client", "state", "account"})

# --- contract ----------------------------------------------------------------------------------------------------

KIND_OF_DEAL = Meaning(
    {
        "type": 6, "kind": 5, "category": 5, "motion": 6, "deal": 3, "class": 3, "opportunity": 2, "record": 1,
    },
    "lead loss lost forecast stage source competitor reason",
    SHORT_TEXTS,
)  # fmt: skip
TERMS = Meaning(
    {
        "subscription": 8, "agreement": 7, "contract": 7, "license": 5, "licence": 5, "renewal": 8, "term": 4,
        "entitlement": 5, "*vertrag": 8, "vertrag*": 8, "abonnement": 8, "abo": 7, "suscripcion": 8, "assinatura": 8,
        "abbonamento": 8, "contrat": 7, "contrato": 7, "contratto": 7, "verlangerung*": 8,
    },
    "line item setting template change amendment history snapshot note document usage",
)  # fmt: skip
INVOICES = Meaning(
    {
        "invoice": 10, "*rechnung": 10, "facture": 10, "factura": 10, "fatura": 10, "fattura": 10, "factuur": 10,
        "bill": 5,
    },
    "line item setting run template position zeile ligne linea",
)  # fmt: skip
BILLING_CASES = Meaning(
    {
        "billing": 5, "payment": 5, "dunning": 9, "issue": 4, "problem": 4, "case": 2, "overdue": 6, "collection": 4,
    },
    "method term gateway line item setting schedule transaction plan",
)  # fmt: skip
SNAPSHOTS = Meaning(
    {
        "snapshot": 7, "arr": 6, "mrr": 4, "revenue": 4, "recurring": 4, "history": 4, "monthly": 3,
    },
    "invoice usage line",
)  # fmt: skip
DUE = Meaning(
    {
        "due": 10, "fallig*": 9, "faellig*": 9, "payable": 6, "echeance": 9, "vencimiento": 9, "vencimento": 9,
        "scadenza": 9, "verval*": 9, "zahlbar": 8,
    },
    "",
    TIMES,
)  # fmt: skip
PAID = Meaning(
    {
        "paid": 10, "payment": 7, "settled": 8, "bezahlt*": 9, "beglichen": 9, "cleared": 6, "paye*": 9, "regle*": 8,
        "paiement": 7, "pagad*": 9, "pago": 7, "pagat*": 9, "pagamento": 7, "betaald*": 9, "zahlungseingang": 9,
    },
    "due term promised",
    TIMES,
)  # fmt: skip
AS_OF = Meaning(
    {
        "snapshot": 6, "as of": 9, "date": 5, "month": 5, "period": 5, "day": 4, "effective": 5,
    },
    "modified due",
    TIMES,
)  # fmt: skip

# --- people ------------------------------------------------------------------------------------------------------

CHAMPION_OBJECTS = Meaning({"champion": 10, "stakeholder": 8, "sponsor": 8, "key contact": 8, "decision maker": 8})
CHAMPION_FLAG = Meaning(
    {
        "champion": 10, "sponsor": 8, "decision maker": 7, "key contact": 7, "advocate": 6, "*entscheider": 7,
        "furspreche*": 8, "decideur": 7, "ambassad*": 7, "patrocinador": 8, "promotor": 6,
    },
    f"{_PAST} no",
    FLAGS,
)  # fmt: skip
ROLE_OF_CONTACT = Meaning(
    {
        "role": 7, "champion": 10, "persona": 5, "influence": 4, "relationship": 3, "buying": 3, "rolle": 7, "rol": 7,
        "ruolo": 7, "papel": 7,
    },
    "support",
    PICKLISTS,
)  # fmt: skip
LEFT = Meaning(
    {
        "no longer": 9, "left": 9, "has left": 10, "departed": 9, "former": 7, "inactive": 6, "retired": 5,
        "employment": 7, "employment status": 8, "contact status": 6, "company": 1, "gone": 7, "ausgeschieden": 9,
        "departure": 9, "leaving": 8, "ausgeschieden*": 9, "nicht mehr": 9, "verlassen*": 8, "a quitte": 9,
        "quitte": 8, "parti": 7, "plus dans": 8, "ya no": 9, "dejo": 8, "salio": 8, "nao trabalha": 9, "saiu": 8,
        "non piu": 9, "uscito": 8, "vertrokken": 9, "niet meer": 9, "situation": 6, "employed": 5,
    },
    "still active opt email bounce bounced shift",
    frozenset({*FLAGS, *TIMES, *PICKLISTS}),
)  # fmt: skip
NO_SHOW = Meaning(
    {
        "no show": 10, "noshow": 10, "not attend*": 9, "not show*": 9, "missed": 7, "absent": 6,
        "nicht erschienen": 9, "nicht teilgenommen": 9, "ausgefallen": 7, "no asistio": 9, "ausente": 6,
        "nao compareceu": 9, "assente": 6, "non presentat*": 9, "niet verschenen": 9, "afwezig": 7, "pas venu": 8,
        "non presente": 7,
    },
    "",
    FLAGS,
)  # fmt: skip

# --- churn signals -----------------------------------------------------------------------------------------------

SIGNAL_OBJECTS = Meaning(
    {
        "churn": 8, "signal": 6, "risk": 6, "red flag": 9, "flag": 3, "alert": 4, "warning": 6, "early": 2,
        "escalation": 3, "concern": 5, "attrition": 8, "abwanderung": 8, "kundigung": 7, "at risk": 3, "threat": 5,
        "red account": 8, "danger": 6, "sign": 3, "indicator": 4, "retention": 5, "issue": 1, "abwanderung*": 8,
        "kundigung*": 7, "kuendigung*": 7, "*risiko": 6, "*warnung": 6, "*signal": 6, "risque": 6, "alerte": 5,
        "resiliation": 7, "riesgo": 6, "alerta": 5, "baja": 5, "abandono": 6, "fuga": 6, "risco": 6,
        "cancelamento": 7, "rischio": 6, "abbandono": 6, "allarme": 5, "risico": 6, "opzeg*": 7, "vertrek*": 5,
        "senal": 6,
    },
    "score history snapshot forecast share feed setting template",
)  # fmt: skip
SEVERITY = Meaning(
    {
        "severity": 10, "criticality": 9, "level": 5, "priority": 7, "impact": 6, "urgency": 6, "gravity": 8,
        "rag": 6, "risk": 2, "schwere": 9, "magnitude": 6, "seriousness": 9, "color": 4, "colour": 4, "rating": 4,
        "grade": 4, "intensity": 6, "weight": 4, "threat": 2, "schweregrad": 10, "dringlichkeit": 6, "stufe": 5,
        "gravite": 9, "severite": 10, "niveau": 5, "urgence": 6, "gravedad": 9, "severidad": 10, "nivel": 5,
        "gravidade": 9, "gravita": 9, "livello": 5, "ernst": 9, "prioridad": 6, "priorite": 6, "prioritat": 6,
    },
    "",
    PICKLISTS,
)  # fmt: skip
STATUS = Meaning(
    {
        "status": 10, "state": 8, "stage": 7, "phase": 5, "disposition": 5, "lifecycle": 5, "progress": 4,
        "*stand": 7, "zustand": 8, "statut": 10, "etat": 8, "estado": 10, "estatus": 10, "situacao": 7, "stato": 10,
        "fase": 5,
    },
    "",
    PICKLISTS,
)  # fmt: skip
CONFIDENCE = Meaning(
    {
        "confidence": 10, "certainty": 9, "likelihood": 7, "probability": 5, "verified": 6, "confirmed": 8,
        "verification": 7, "sicherheit": 6, "validation": 5, "gewissheit": 9, "wahrscheinlichkeit": 6, "certitude": 9,
        "fiabilite": 6, "certeza": 9, "confianza": 8, "confianca": 8, "certezza": 9, "zekerheid": 9,
    },
    "",
    PICKLISTS,
)  # fmt: skip
TITLE = Meaning(
    {
        "title": 9, "headline": 9, "subject": 8, "summary": 8, "category": 7, "reason": 7, "topic": 7, "theme": 6,
        "cause": 6, "driver": 5, "type": 4, "titel": 9, "betreff": 8, "kategorie": 7, "grund": 7, "thema": 7,
        "titre": 9, "sujet": 8, "categorie": 7, "raison": 7, "motif": 7, "titulo": 9, "asunto": 8, "categoria": 7,
        "motivo": 7, "titolo": 9, "oggetto": 8, "onderwerp": 8, "reden": 7,
    },
    "record system resolution close closed",
    SHORT_TEXTS,
)  # fmt: skip
OPENED = Meaning(
    {
        "signal date": 10, "opened": 10, "raised": 10, "detected": 10, "reported": 9, "identified": 9, "logged": 9,
        "noticed": 9, "seen": 7, "observed": 8, "occurred": 8, "flagged": 8, "start": 6, "began": 8, "since": 7,
        "open": 6, "begin": 7, "date": 2, "on": 1, "gemeldet*": 9, "erkannt*": 9, "eroffnet*": 9, "beginn": 7,
        "signale*": 9, "ouvert*": 9, "detecte*": 9, "detectad*": 9, "abiert*": 9, "abert*": 9, "rilevat*": 9,
        "apert*": 9, "gemeld*": 9, "geopend*": 9, "datum": 2, "fecha": 2, "data": 2,
    },
    "erledigt geschlossen gelost cloture ferme resolu cerrado resuelto fechado chiuso risolto gesloten opgelost "
    "close closed resolve resolved end ended due target next review modified last expected solved cleared "
    "mitigated",
    TIMES,
)  # fmt: skip
CLOSED = Meaning(
    {
        "closed": 10, "resolved": 10, "ended": 9, "end": 6, "close": 8, "cleared": 9, "solved": 9, "mitigated": 8,
        "finished": 7, "resolution": 7, "date": 1, "erledigt*": 10, "geschlossen*": 10, "gelost*": 9, "cloture*": 10,
        "ferme*": 9, "resolu*": 9, "cerrad*": 10, "cierre": 8, "resuelt*": 10, "fechad*": 9, "encerrad*": 9,
        "chius*": 10, "risolt*": 10, "gesloten*": 10, "opgelost*": 10, "dismissed": 8,
    },
    "due target expected planned",
    TIMES,
)  # fmt: skip

# --- pulses --------------------------------------------------------------------------------------------------------

PULSE = Meaning(
    {
        "pulse": 8, "sentiment": 8, "csm": 4, "customer": 1, "success": 2, "rag": 6, "temperature": 5, "mood": 6,
        "relationship": 3, "health": 2, "manual": 3, "rating": 2, "status": 1, "confidence": 3, "stimmung": 8,
        "*stimmung": 8, "einschatzung": 7, "ampel": 7, "*ampel": 7, "humeur": 6, "ressenti": 7, "ambiente": 4,
        "semaforo": 7, "sentimiento": 8, "sentimento": 8, "stemming": 7, "stoplicht": 7,
    },
    f"{_PAST} automatic calculated computed date reason",
    SHORT_TEXTS,
)  # fmt: skip
PULSE_OBJECTS = Meaning(
    {
        "pulse": 8, "sentiment": 8, "check in": 7, "checkin": 7, "csm": 3, "assessment": 4, "health check": 5,
        "temperature": 5, "einschatzung": 7, "stimmung": 8,
    },
    "survey response answer employee",
)  # fmt: skip
_AHEAD = "next planned due follow scheduled expected review future escalated to email mail phone url link"
PULSE_DAY = Meaning(
    {
        "date": 4, "updated": 4, "held": 4, "on": 2, "given": 4, "datum": 4, "fecha": 4, "data": 3, "vom": 3,
        "completed": 3,
    },
    _AHEAD,
    TIMES,
)  # fmt: skip
PULSE_AUTHOR = Meaning(
    {"by": 4, "author": 6, "from": 2, "owner": 3, "user": 2, "von": 4, "par": 3, "autor": 6, "auteur": 6},
    _AHEAD,
    frozenset({"reference"}),
)  # fmt: skip
PULSE_REASON = Meaning(
    {
        "reason": 6, "why": 6, "comment": 5, "note": 5, "detail": 4, "explanation": 5, "grund": 6, "kommentar": 5,
        "begrundung": 6, "raison": 6, "motivo": 6, "notiz": 5, "summary": 4,
    },
    _AHEAD,
    frozenset({"string", "textarea"}),
)  # fmt: skip
