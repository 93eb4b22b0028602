"""How values of lists begin that say what is looked for: in small letters, without accents, in seven languages.

A stem with a blank stands for two words, also where they are written as one; one behind a star for how a word ends
(meanings.py `named`).
"""

# --- accounts and contracts -----------------------------------------------------------------------------------------

CUSTOMER_VALUES = (
    "customer", "client", "subscriber", "kunde", "bestandskund", "klant", "cliente", "*kunde", "*kunden", "*klant",
)  # fmt: skip
LIVE_VALUES = ("active", "live", "paying", "won", "subscribed", "current", "onboarding", "adopt", "renew", "aktiv")
NO_CUSTOMERS = (
    "former", "lost", "churn", "past", "inactive", "prospect", "lead", "potential", "trial", "target", "cancel",
    "closed", "dead", "ended", "terminated", "interessent", "ehemalig", "altkund", "exkund", "nichtkund", "gekundigt",
    "ancien", "perdu", "resili", "inact", "antigu", "perdid", "baja", "potencial", "potentiel", "potenzial", "antig",
    "encerrad", "cessat", "dismess", "voormalig", "verloren", "opgezegd", "inaktiv",
)  # fmt: skip
# an active partner is no customer, a customer by way of a partner is one
NO_LIVE_CUSTOMERS = (*NO_CUSTOMERS, "partner", "competitor", "vendor", "supplier", "reseller")
# none of what follows
NEW_VALUES = (
    "new", "first", "initial", "land", "acquisition", "neu", "erst", "nouv", "nuev", "novo", "nova", "nuov", "nieuw",
    "pilot", "trial", "existing", "other",
)  # fmt: skip
RENEWAL_VALUES = ("renew", "verlang", "erneuer", "renouv", "reconduction", "renov", "prorrog", "rinnov", "verleng")
# of the term, or of what is sold
EXTENSION_VALUES = ("extens", "extend", "estens")
SMALLER_VALUES = (
    "downgrad", "downsell", "contraction", "reduc", "decreas", "shrink", "fewer", "down grade", "down sell", "reduz",
    "herabstuf", "verklein", "verring", "teilkund", "diminu", "baisse", "retrograd", "disminu", "rebaj", "riduz",
    "verlag", "inkrimp",
)  # fmt: skip
LARGER_VALUES = (
    "expan", "upsell", "upgrad", "crosssell", "up sell", "cross sell", "add on", "addon", "growth", "additional",
    "increas", "erweiter", "zusatz", "ausbau", "aufstock", "montee", "croise", "agrandiss", "ampli", "cruzad",
    "aument", "crecim", "espans", "incroc", "aggiunt", "uitbreid", "bijverkoop",
)  # fmt: skip
BILLING_VALUES = (
    "bill", "payment", "invoic", "dunning", "collection", "rechnung", "zahlung", "unpaid", "overdue", "receivabl",
    "financ", "abrechn", "mahn", "buchhalt", "factur", "paiement", "impay", "recouvr", "pago", "cobr", "fatur",
    "pagam", "fattur", "betaling",
)  # fmt: skip
UNPAID_VALUES = (
    "overdue", "late", "past due", "delinquent", "unpaid", "hold", "dunning", "default", "suspended", "mahn",
    "uberfall", "offen", "impay", "retard", "vencid", "impag", "moros", "scadut", "insolut", "achterstall",
)  # fmt: skip
IN_FORCE_VALUES = (
    "activ", "signed", "in force", "live", "aktiv", "executed", "current", "gultig", "laufend", "unterschr",
    "vigueur", "vigent", "vigor", "signe", "firmad", "ativ", "attiv", "actief", "geldig", "lopend",
)  # fmt: skip
ENDED_VALUES = (
    "expir", "terminat", "cancel", "ended", "closed", "complet", "lapsed", "abgelaufen", "gekundigt", "beendet",
    "termine", "resili", "annul", "vencid", "terminad", "finaliz", "encerrad", "scadut", "cessat", "verlopen",
    "opgezegd", "beeindigd",
)  # fmt: skip

# --- people ---------------------------------------------------------------------------------------------------------

CHAMPION_ROLES = (
    "sponsor", "champion", "decision", "economic", "buyer", "advocate", "entscheid", "executive", "budget", "kaufer",
    "furspr", "wirtschaftl", "decid", "achet", "acquer", "ambassad", "patrocin", "decisor", "comprad", "promotor",
    "acquirent", "beslis", "koper",
)  # fmt: skip
NO_CHAMPIONS = (
    "technical", "influenc", "evaluator", "blocker", "user", "former", "technisch", "anwend", "nutzer", "beeinfluss",
    "ehemalig", "techniqu", "utilis", "tecnic", "usuari", "utent", "gebruik",
)  # fmt: skip
LEFT_VALUES = (
    "left", "retired", "departed", "gone", "former", "resigned", "inactive", "ausgeschieden", "yes", "ja", "ehemalig",
    "quitte", "parti", "sali", "baja", "saiu", "uscit", "vertrokken", "no longer", "nicht mehr", "ya no",
)  # fmt: skip

# --- churn signals --------------------------------------------------------------------------------------------------

CRITICAL_VALUES = (
    "critical", "severe", "red", "urgent", "extreme", "kritisch", "rot", "p1", "sev1", "sev 1", "severity 1",
    "critiqu", "critic", "grave", "roug", "roj", "vermelh", "ross", "kritiek", "rood",
)  # fmt: skip
HIGH_VALUES = ("high", "major", "seriou", "hoch", "schwer", "haut", "eleve", "alto", "alta", "hoog", "majeur")
MODERATE_VALUES = (
    "moderate", "medium", "amber", "orange", "mid", "mittel", "significant", "elevated", "p2", "sev2", "sev 2",
    "severity 2", "moder", "massig", "moyen", "medi", "naranj", "laranj", "arancion", "gemiddeld", "matig", "oranj",
)  # fmt: skip
# in the middle of red and green, below red and amber
YELLOW_VALUES = ("yellow", "gelb", "jaun", "amarill", "amarel", "giall", "geel")
WATCH_VALUES = (
    "watch", "low", "minor", "green", "info", "niedrig", "gering", "leicht", "notice", "p3", "sev3", "sev 3",
    "severity 3", "beobacht", "grun", "faibl", "bass", "vert", "baj", "baix", "verd", "laag", "groen",
)  # fmt: skip
RESOLVED_VALUES = (
    "clos", "resolv", "done", "mitigat", "clear", "dismiss", "saved", "won back", "complet", "ended", "solved",
    "archiv", "inactive", "false alarm", "handl", "settl", "gone", "obsolet", "no longer relevant", "erledigt",
    "geschlossen", "gelost", "abgeschlossen", "resolu", "ferm", "termin", "resuel", "cerrad", "fechad", "encerrad",
    "risolt", "chius", "gesloten", "opgelost", "afgehandeld",
)  # fmt: skip
MONITORING_VALUES = (
    "monitor", "watch", "observ", "track", "beobacht", "surveill", "suivi", "seguim", "vigil", "osserv",
)  # fmt: skip
CONFIRMED_VALUES = (
    "confirm", "verified", "definite", "proven", "validat", "sure", "bestatigt", "sicher", "cert", "segur",
    "verificad", "conferm", "bevestigd", "zeker",
)  # fmt: skip

# --- pulses ---------------------------------------------------------------------------------------------------------

GREEN_VALUES = (
    "green", "good", "healthy", "happy", "positiv", "great", "strong", "grun", "gut", "zufrieden", "vert", "bon",
    "satisf", "content", "verd", "buen", "bien", "bom", "boa", "buon", "groen", "goed", "tevreden", "safe", "on track",
)  # fmt: skip
AMBER_VALUES = (
    "yellow", "amber", "orange", "neutral", "ok", "medium", "fair", "mixed", "concern", "gelb", "mittel", "jaun",
    "moyen", "amarill", "amarel", "regular", "giall", "medi", "geel", "oranj", "watch",
)  # fmt: skip
RED_VALUES = (
    "red", "dissatisf", "weak", "bad", "poor", "unhappy", "unhealthy", "negativ", "risk", "critic", "danger", "rot",
    "schlecht", "unzufrieden", "gefahr", "roug", "mauvais", "mecontent", "roj", "vermelh", "ruim", "ross", "cattiv",
    "rood", "slecht", "ontevreden", "off track", "lost",
)  # fmt: skip
NOT_RED = ("low", "medium", "minor", "small", "gering", "niedrig", "faible", "bajo", "reduc", "redac", "rotat")
NOT_GREEN = ("greenfield", "goods", "less", "not", "dis", "un")
