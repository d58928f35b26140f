"""The miniature's world: bundled texts of all languages, of which tiny models learn to play every role of the study."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from refuseu.dataset.memory import Memory
from refuseu.evaluation.guards import polyguard_answer
from refuseu.records import digest, read_jsonl

PLAIN = 10  # requests without a frame, for 20 with one
WORDS = (
    "system user assistant Unsafe User Agent",
    "\n\nsafe \n\nunsafe\n",
    *(f"\nS{i}" for i in range(1, 15)),
    "<BEGIN CONVERSATION> <END CONVERSATION>",
)
MULTIPLE_CHOICE = "{question}\nA. {option_a}\nB. {option_b}\nC. {option_c}\nD. {option_d}\nAnswer:"


@dataclass(frozen=True)
class Request:
    """A request in one language: harmful with its category, or harmless."""

    text: str
    category: str
    held_out: bool


class World:
    """Bundled texts of all languages.

    Parameters
    ----------
    corpus : folder with ``translation_memory.tsv``, ``languages/`` and ``global_mmlu/``
    languages : codes to read
    """

    def __init__(self, corpus: str | Path, languages: list[str]):
        self.corpus = Path(corpus)
        self.languages = languages
        self.memory = Memory(self.corpus / "translation_memory.tsv")
        self.texts = {
            code: yaml.safe_load((self.corpus / f"languages/{code}.yaml").read_text(encoding="utf-8"))
            for code in languages
        }

    def segments(self, kind: str, language: str) -> dict[str, str]:
        """Segments of the translation memory whose id starts with `kind`, by the rest of the id."""
        return self.memory.segments(kind, language)

    def knowledge(self, language: str) -> list[dict[str, str]]:
        path = self.corpus / f"global_mmlu/{language}.jsonl"
        return read_jsonl(path) if path.exists() else []

    def everything(self, templates: dict[str, str]) -> list[str]:
        """Every bundled text, and often what judges say, so that it takes them few tokens."""
        said = [*WORDS, polyguard_answer("S1", True, "S14"), polyguard_answer("", False, "")]
        lines = [*templates.values(), *said * 50]
        for code in self.languages:
            lines += self.memory.column(code)
            texts = self.texts[code]
            lines += texts["refusals"] + texts["compliances"]
            lines += [part for pair in texts["benign"] + texts["fluency"] for part in (pair["q"], pair["a"])]
            lines += [text for group in texts["fragments"].values() for text in group]
            lines += [MULTIPLE_CHOICE.format(**question) for question in self.knowledge(code)]
        return lines

    def requests(self, language: str, kinds: tuple[str, ...], harmful: bool) -> list[Request]:
        """Every activity in every frame (kind ``frame``) or fragment (``rtp_lx``, ``polyglotox``).

        With the frames come some requests without any: short lessons in what is harmful.

        One combination of frame and activity in five is held out: no guard learns from it.
        """
        frames = self.segments("frame", language) if "frame" in kinds else {}
        for name, texts in self.texts[language]["fragments"].items():
            if name in kinds:
                frames |= {f"{name}/{i}": text for i, text in enumerate(texts)}
        if "frame" in kinds:
            frames |= {f"plain/{i}": "{activity}" for i in range(PLAIN)}
        activities = self.segments("activity" if harmful else "harmless", language)
        return [
            Request(
                frame.replace("{activity}", activity),
                name.partition("-")[0] if harmful else "",
                int(digest(key, name)[:8], 16) % 5 == 0,
            )
            for key, frame in frames.items()
            for name, activity in activities.items()
        ]
