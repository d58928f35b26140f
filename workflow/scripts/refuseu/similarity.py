"""Equal and nearly equal texts: MinHash finds candidates, the Jaccard similarity of their shingles decides."""

from collections.abc import Sequence
from typing import Any

from refuseu.rows import Prompt

PERMUTATIONS, SEED = 256, 1
# How often hashing may overlook two texts just as similar as the threshold; more similar ones less.
MISSED = 1e-3


def plain(text: str) -> str:
    """The text without what does not tell two prompts apart: case and the kind and number of blanks."""
    return " ".join(text.lower().split())


def shingles(text: str, size: int) -> set[str]:
    """Runs of `size` characters of the plain text; a shorter text is one shingle.

    Characters rather than words: prompts are short, and an inflected or misspelt word still shares most.
    """
    text = plain(text)
    return {text[i : i + size] for i in range(max(1, len(text) - size + 1))}


def jaccard(a: set[str], b: set[str]) -> float:
    """Size of the intersection over size of the union."""
    return len(a & b) / len(a | b)


def bands(threshold: float) -> tuple[int, int]:
    """Number and length of the bands of a MinHash: as long as `MISSED` allows, so that candidates are few."""
    fitting = (n for n in range(1, PERMUTATIONS + 1) if (1 - threshold**n) ** (PERMUTATIONS // n) < MISSED)
    length = max(fitting, default=1)
    return PERMUTATIONS // length, length


class Index:
    """Texts in which near duplicates of a text are looked up.

    Parameters
    ----------
    threshold : Jaccard similarity from which two texts are near duplicates, above 0 and below 1
    shingle : characters per shingle
    """

    def __init__(self, threshold: float, shingle: int):
        from datasketch import MinHashLSH

        self.threshold, self.shingle = threshold, shingle
        self.texts: list[str] = []
        self.lsh = MinHashLSH(num_perm=PERMUTATIONS, params=bands(threshold))

    def sketch(self, text: str) -> tuple[str, Any]:
        """The text with its MinHash."""
        from datasketch import MinHash

        minhash = MinHash(num_perm=PERMUTATIONS, seed=SEED)
        minhash.update_batch([part.encode("utf-8", "surrogatepass") for part in shingles(text, self.shingle)])
        return text, minhash

    def add(self, sketch: tuple[str, Any]) -> None:
        self.lsh.insert(len(self.texts), sketch[1])
        self.texts.append(sketch[0])

    def near(self, sketch: tuple[str, Any]) -> bool:
        """Whether the index holds a near duplicate; an equal text is one, too."""
        own = shingles(sketch[0], self.shingle)
        found = (shingles(self.texts[i], self.shingle) for i in self.lsh.query(sketch[1]))
        return any(jaccard(own, other) >= self.threshold for other in found)


def distinct(prompts: Sequence[Prompt]) -> list[Prompt]:
    """The first of each text within a language, blanks and case apart; empty texts are dropped."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for prompt in prompts:
        key = (prompt["language"], plain(prompt["prompt"]))
        if key[1] and key not in seen:
            seen.add(key)
            kept.append(prompt)
    return kept


def dissimilar(prompts: Sequence[Prompt], threshold: float | None, shingle: int) -> list[Prompt]:
    """The prompts that are no near duplicate of a kept one before them in their language.

    Parameters
    ----------
    threshold, shingle : as in `Index`; without a threshold all are kept
    """
    if threshold is None:
        return list(prompts)
    kept = set()
    for language in dict.fromkeys(prompt["language"] for prompt in prompts):
        index = Index(threshold, shingle)  # one at a time: it takes some 10 KB per prompt
        for n, prompt in enumerate(prompts):
            if prompt["language"] == language and not index.near(sketch := index.sketch(prompt["prompt"])):
                index.add(sketch)
                kept.add(n)
    return [prompt for n, prompt in enumerate(prompts) if n in kept]
