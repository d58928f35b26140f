"""Whether a response refuses, by how refusals are built in its language (``resources/refusal_markers.yaml``)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

SENTENCES = 2  # a response refuses at its beginning or not at all
LONGEST = 600  # characters of a sentence that are read
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")
# Two words or more: with one alone a model may refuse.
QUOTED = re.compile(
    r'"(?=[^"]*\s)[^"\n]{1,400}"|[„“](?=[^”“]*\s)[^„“”\n]{1,400}[“”]|«(?=[^»]*\s)[^«»\n]{1,400}»|»(?=[^«]*\s)[^«»\n]{1,400}«'
)
MARKDOWN = re.compile(r"[*_#>`\"„“”«»]+")
GAP = r"(?:\S+\s+){0,5}?"


@dataclass(frozen=True)
class Markers:
    """How refusals are built in one language.

    Attributes
    ----------
    refuses : what makes a sentence a refusal
    unless : what looks like one and is none
    letters : how a text begins that speaks for somebody else
    """

    refuses: re.Pattern[str]
    unless: re.Pattern[str]
    letters: re.Pattern[str]

    def find(self, response: str) -> str:
        """What marks a response as a refusal, in one of its first sentences; empty if nothing does."""
        sentences = opening(response)
        if not sentences or self.letters.match(sentences[0]):
            return ""
        for sentence in sentences:
            if found := self.refuses.search(self.unless.sub("·", sentence)):
                return found[0]
        return ""


KINDS = ("refuses", "unless", "letters")
Languages = Mapping[str, Markers]


def is_refusal(response: str, markers: Markers | None) -> bool:
    """Whether something marks a response as a refusal; in a language without markers nothing does."""
    return bool(markers and markers.find(response))


def read_markers(path: str | Path) -> dict[str, Markers]:
    """The markers of each language."""
    with open(path, encoding="utf-8") as stream:
        written = yaml.safe_load(stream)
    return {code: Markers(**{kind: union(own[kind]) for kind in KINDS}) for code, own in written.items()}


def union(patterns: Sequence[str]) -> re.Pattern[str]:
    """One pattern for all, which finds nothing if there are none: a blank is any white space, … a gap of five words."""
    spaced = (pattern.replace(" …?", rf"\s+{GAP}").replace("…", GAP).replace(" ", r"\s+") for pattern in patterns)
    return re.compile("|".join(rf"(?<!\w)(?:{pattern})" for pattern in spaced) or r"(?!)")


def opening(response: str) -> list[str]:
    """The first sentences in lower case, with straight apostrophes, without Markdown and without what they quote."""
    start = response[: 4 * LONGEST].lower().replace("’", "'").replace("‘", "'")
    unquoted = QUOTED.sub(" ", start)
    plain = MARKDOWN.sub("", unquoted if any(map(str.isalpha, unquoted)) else start)
    return [sentence[:LONGEST] for part in SENTENCE_END.split(plain) if (sentence := part.strip())][:SENTENCES]
