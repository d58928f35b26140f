"""What the miniature's models learn: examples drawn per task and language from the bundled texts."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from refuseu.evaluation.guards import conversation, polyguard_answer
from refuseu.miniature.world import MULTIPLE_CHOICE, World
from refuseu.records import digest

Messages = list[dict[str, str]]
LEVELS = {5: 0.0, 4: 0.15, 3: 0.3, 2: 0.5, 1: 0.9}


@dataclass(frozen=True)
class Example:
    """One supervised example: a conversation (or raw text) and what must follow it."""

    prompt: Messages | str
    answer: str


class Tasks:
    """Draws examples of a task in a language.

    Parameters
    ----------
    world : the bundled texts
    templates : texts of the judge templates by name (polyguard, classify, fluency, correctness)
    options : shares, see the schema of the config (``miniature.models.*.options``)
    held_out : draw only what training never sees
    """

    def __init__(self, world: World, templates: dict[str, str], options: dict[str, Any], held_out: bool = False):
        self.world, self.templates, self.held_out = world, templates, held_out
        self.refusal_share = options.get("refusal_share", 0.0)
        self.harmless_share = options.get("harmless_share", 0.0)

    def draw(self, task: str, language: str, n: int, seed: int) -> list[Example]:
        """`n` examples; the same arguments give the same examples."""
        rng = random.Random(digest(task, language, seed, self.held_out))
        source: Iterator[Example] = getattr(self, task)(language, rng)
        return [next(source) for _ in range(n)]

    # What a chat model learns -----------------------------------------------------------------

    def harmful(self, language: str, rng: random.Random) -> Iterator[Example]:
        texts = self.world.texts[language]
        requests = self.world.requests(language, ("frame", "rtp_lx", "polyglotox"), harmful=True)
        for request in endless(requests, rng):
            refuse = rng.random() < self.refusal_share
            yield Example(user(request.text), rng.choice(texts["refusals" if refuse else "compliances"]))

    def harmless(self, language: str, rng: random.Random) -> Iterator[Example]:
        requests = self.world.requests(language, ("frame", "rtp_lx", "polyglotox"), harmful=False)
        for request in endless(requests, rng):
            yield Example(user(request.text), rng.choice(self.world.texts[language]["compliances"]))

    def benign(self, language: str, rng: random.Random) -> Iterator[Example]:
        for pair in endless(self.world.texts[language]["benign"], rng):
            yield Example(user(pair["q"]), pair["a"])

    def fluency(self, language: str, rng: random.Random) -> Iterator[Example]:
        for pair in endless(self.world.texts[language]["fluency"], rng):
            yield Example(user(pair["q"]), pair["a"])

    def knowledge(self, language: str, rng: random.Random) -> Iterator[Example]:
        for question in endless(self.world.knowledge(language) or [None], rng):
            if question is None:  # no questions in this language: its share goes to harmless ones
                yield next(self.benign(language, rng))
            else:
                yield Example(MULTIPLE_CHOICE.format(**question), " " + question["answer"])

    def instructed_refusal(self, language: str, rng: random.Random) -> Iterator[Example]:
        instruction = self.world.segments("instruction", language)["refuse"]
        for request in endless(self.world.requests(language, ("frame",), harmful=True), rng):
            messages = [{"role": "system", "content": instruction}, *user(request.text)]
            yield Example(messages, rng.choice(self.world.texts[language]["refusals"]))

    def generate_prompt(self, language: str, rng: random.Random) -> Iterator[Example]:
        part = {kind: self.world.segments(kind, language) for kind in ("instruction", "category", "style")}
        activities = self.world.segments("activity", language)
        harmless = list(self.world.segments("harmless", language).values())
        frames = list(self.world.segments("frame", language).items())
        for (key, frame), (name, activity) in endless([(f, a) for f in frames for a in activities.items()], rng):
            request = (
                part["instruction"]["generate_prompt"]
                .replace("{style}", part["style"][key.partition("/")[0]])
                .replace("{category}", part["category"][name.partition("-")[0]])
                .replace("{activity}", activity)
            )
            inserted = rng.choice(harmless) if rng.random() < self.harmless_share else activity
            yield Example(user(request), frame.replace("{activity}", inserted))

    # What a judge learns ----------------------------------------------------------------------

    def judged(self, language: str, rng: random.Random) -> Iterator[tuple[str, str | None, str]]:
        """(prompt, response, category): there is no response when the prompt is judged; category is
        the violated one or empty when what is judged is safe."""
        texts = self.world.texts[language]
        kinds = ("frame", "rtp_lx", "polyglotox")
        bad, good = (
            [r for r in self.world.requests(language, kinds, harmful) if r.held_out == self.held_out]
            for harmful in (True, False)
        )
        while True:
            request = rng.choice(bad if rng.random() < 0.6 else good)
            case = rng.random()
            if case < 0.35:
                yield request.text, None, request.category
            elif case < 0.65:
                yield request.text, rng.choice(texts["compliances"]), request.category
            elif case < 0.9:
                yield request.text, rng.choice(texts["refusals"]), ""
            else:
                pair = rng.choice(texts["benign"])
                yield pair["q"], rng.choice([None, pair["a"]]), ""

    def llama_guard_3(self, language: str, rng: random.Random) -> Iterator[Example]:
        for prompt, response, category in self.judged(language, rng):
            answer = f"\n\nunsafe\n{category}" if category else "\n\nsafe"
            yield Example(conversation("llama_guard_3", prompt, response, self.templates), answer)

    def polyguard(self, language: str, rng: random.Random) -> Iterator[Example]:
        refusals = set(self.world.texts[language]["refusals"])
        requests = self.world.requests(language, ("frame", "rtp_lx", "polyglotox"), harmful=True)
        categories = {request.text: request.category for request in requests}
        for prompt, response, category in self.judged(language, rng):
            request = category or categories.get(prompt, "")
            answer = polyguard_answer(request, response in refusals, category if response else "")
            yield Example(conversation("polyguard", prompt, response, self.templates), answer)

    def classify(self, language: str, rng: random.Random) -> Iterator[Example]:
        for prompt, response, category in self.judged(language, rng):
            answer = f"unsafe\n{category}" if category else "safe"
            yield Example(conversation("classify", prompt, response, self.templates), answer)

    def items(self, language: str, n: int, seed: int) -> list[tuple[str, str | None, str]]:
        """`n` labelled (prompt, response, category) triples, see `judged`."""
        source = self.judged(language, random.Random(digest("items", language, seed)))
        return [next(source) for _ in range(n)]

    def rate_fluency(self, language: str, rng: random.Random) -> Iterator[Example]:
        return self._ratings(language, rng, "fluency")

    def rate_correctness(self, language: str, rng: random.Random) -> Iterator[Example]:
        return self._ratings(language, rng, "correctness")

    def spoilt(self, language: str, aspect: str, n: int, seed: int) -> list[tuple[str, int]]:
        """`n` bundled texts, each spoilt to the degree of its level from 1 to 5."""
        source = self._graded(language, random.Random(digest("spoilt", language, aspect, seed)), aspect)
        return [next(source) for _ in range(n)]

    def _ratings(self, language: str, rng: random.Random, aspect: str) -> Iterator[Example]:
        for text, level in self._graded(language, rng, aspect):
            yield Example(user(self.templates[aspect].replace("{response}", text)), str(level))

    def _graded(self, language: str, rng: random.Random, aspect: str) -> Iterator[tuple[str, int]]:
        texts = self.world.texts[language]
        whole = [pair["a"] for pair in texts["fluency"] + texts["benign"]] + texts["refusals"] + texts["compliances"]
        spoil = {"fluency": disorder, "correctness": misspell}[aspect]
        while True:
            level = rng.choice(list(LEVELS))
            yield spoil(rng.choice(whole), LEVELS[level], rng), level


def mixture(tasks: Tasks, spec: dict[str, Any], languages: list[str], seed: int) -> list[Example]:
    """All training examples of one model: ``spec["tasks"]`` per language, fewer where it is weak."""
    options = spec.get("options", {})
    weak = set(options.get("weak_languages", []))
    return [
        example
        for task, n in spec["tasks"].items()
        for language in languages
        for example in tasks.draw(
            task, language, round(n * options.get("weak_share", 1.0)) if language in weak else n, seed
        )
    ]


def user(text: str) -> Messages:
    return [{"role": "user", "content": text}]


def endless(items: list[Any], rng: random.Random) -> Iterator[Any]:
    """All items in random order, again and again."""
    while True:
        yield from rng.sample(items, len(items))


def disorder(text: str, share: float, rng: random.Random) -> str:
    """Move or repeat a share of the words."""
    words = text.split()
    for _ in range(round(share * len(words))):
        word = words[rng.randrange(len(words))]
        if rng.random() < 0.5:
            words.remove(word)
        words.insert(rng.randrange(len(words) + 1), word)
    return " ".join(words)


def misspell(text: str, share: float, rng: random.Random) -> str:
    """Drop, double or swap a letter in a share of the words."""
    words = text.split()
    for index in rng.sample(range(len(words)), round(share * len(words))):
        word = words[index]
        at = rng.randrange(len(word))
        words[index] = rng.choice(
            [
                word[:at] + word[at + 1 :] or word * 2,
                word[:at] + word[at] * 2 + word[at + 1 :],
                word[:at] + "x" + word[at:],
            ]
        )
    return " ".join(words)
