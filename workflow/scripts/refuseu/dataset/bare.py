"""A generated prompt without what its writer put around it: fences, quotation marks, a lead-in, a remark."""

import re

# How a lead-in begins, and what it calls the text that follows: "Here's the scenario:" is a part of the prompt.
YES = (
    "sure|certainly|of course|gerne|natürlich|bien sûr|certo|certamente|claro|por supuesto|com certeza|jasne|"
    "oczywiście|jistě|samozřejmě|samozrejme|seveda|žinoma|protams"
)
HERE_IS = (
    "here is|here's|here are|hier ist|voici|ecco|aquí está|aquí tienes|aqui está|oto|zde je|tady je|tu je|tukaj je|"
    "štai|šeit ir|lūk"
)
CALLED = (
    "prompt|question|request|anfrage|frage|demande|requête|richiesta|domanda|solicitud|petición|pregunta|pedido|"
    "pergunta|prośba|pytanie|žádost|prosba|otázka|žiadosť|zahteva|prošnja|vprašanje|užklausa|prašymas|klausimas|"
    "pieprasījums|lūgums|jautājums"
)
NAMED = rf"(?:{HERE_IS})\b[^\n:?!]{{0,60}}?\b(?:{CALLED})\b[^\n:?!]{{0,60}}"
LEAD_IN = re.compile(rf"(?:(?:{YES})[,.!]?\s+)?(?:{NAMED}|\**(?:{CALLED}))\**\s?:\**\s*", re.IGNORECASE)
FENCED = re.compile(r"(```+|~~~+)[\w-]*\n(?P<inside>.+?)\n?\s*\1.*", re.DOTALL)
QUOTES = {'"': '"', "“": "”", "„": "”“", "«": "»", "»": "«", "‘": "’", "‚": "‘’", "'": "'", "`": "`", "**": "**"}
REMARK = re.compile(r"\n\s*\n\s*(?:\([^()]*\)|\[[^\[\]]*\]|-{3,}.*)\s*\Z", re.DOTALL)


def bare(text: str) -> str:
    """The prompt alone; a text that would be empty without its surroundings stays as it is.

    Only what stands around the whole prompt goes: a prompt may quote, hold code and end with a bracket.
    """
    text = text.strip()
    for peel in (led_in, fenced, led_in, remarked, quoted):
        text = peel(text).strip() or text
    return text


def fenced(text: str) -> str:
    """What is inside a fence with which the text begins."""
    found = FENCED.fullmatch(text)
    return found["inside"] if found else text


def led_in(text: str) -> str:
    """The text after its lead-in."""
    found = LEAD_IN.match(text)
    return text[found.end() :] if found else text


def remarked(text: str) -> str:
    """The text without a last paragraph in brackets, or under a line."""
    return REMARK.sub("", text)


def quoted(text: str) -> str:
    """What is inside quotation marks around the whole text, or around its first paragraph."""
    for start, ends in QUOTES.items():
        if not text.startswith(start):
            continue
        first, _, after = text.partition("\n\n")
        for whole in (text, *([first.rstrip()] if after else [])):
            for end in [ends] if start == "**" else ends:
                inside = whole[len(start) : -len(end)]
                if whole.endswith(end) and len(whole) > len(start) + len(end) and not {start, end} & marks(inside):
                    return inside
    return text


def marks(text: str) -> set[str]:
    """The quotation marks in a text, apostrophes inside words apart."""
    plain = re.sub(r"\b['’‘]\b", "", text)
    return {mark for start, ends in QUOTES.items() for mark in (start, ends, *ends) if mark in plain}
