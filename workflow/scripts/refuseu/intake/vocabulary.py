"""A smaller vocabulary: the pieces that given texts use, and the commonest others written in the same letters.

Load what you need (Abdaoui et al. 2020, https://aclanthology.org/2020.sustainlp-1.16): most pieces of a multilingual
vocabulary are of languages that a study has not, and they are most of a small model's weights. The texts are tokenised
as before: byte-pair encoding does one merge after the other, and none that ever happens in them is lost.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel

from refuseu.errors import UserError

BYTE = re.compile(r"<0x[0-9A-F]{2}>")
UNUSED = re.compile(r"[<\[]?(\|?reserved_special_token_|unused)\d+(\|?[>\]])?|<\|reserved_special_token_\d+\|>")
BLANK = "▁"  # how SentencePiece writes a blank

Described = dict[str, Any]  # a tokenizer as tokenizer.json has it


class Merges:
    """Byte-pair encoding of single pieces, to see which pieces it goes through.

    Parameters
    ----------
    described : a tokenizer as ``tokenizer.json`` has it
    """

    def __init__(self, described: Described):
        pairs = [tuple(merge.split(" ", 1)) if isinstance(merge, str) else tuple(merge) for merge in merges(described)]
        self.rank = {pair: rank for rank, pair in enumerate(pairs)}

    def steps(self, piece: str) -> set[str]:
        """All pieces from the letters of `piece` to itself."""
        parts, seen = list(piece), set(piece)
        while len(parts) > 1:
            ranked = [(self.rank[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in self.rank]
            if not ranked:
                break
            _, at = min(ranked)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            seen.add(parts[at])
        return seen | {piece}


def merges(described: Described) -> list[Any]:
    """The merges of a tokenizer.

    Raises
    ------
    UserError
        If it is another kind of tokenizer than byte-pair encoding.
    """
    if described["model"]["type"] != "BPE":
        raise UserError(
            f"only vocabularies of byte-pair encoding can be trimmed, and this one is {described['model']['type']}; "
            "empty the column vocabulary of models.tsv"
        )
    found: list[Any] = described["model"]["merges"]
    return found


def kept(tokenizer: Tokenizer, described: Described, texts: Sequence[str], pieces: int) -> list[str]:
    """The pieces that stay, in the order of their ids.

    Always: what the texts need, single bytes and special tokens; then the first others in the letters of the texts,
    which are the most common, until there are `pieces`.

    Parameters
    ----------
    described : the same tokenizer as ``tokenizer.json`` has it
    """
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    order = sorted(vocabulary, key=vocabulary.__getitem__)
    added = [token["content"] for token in described["added_tokens"]]
    used = {piece for one in tokenizer.encode_batch(list(texts), add_special_tokens=False) for piece in one.tokens}
    ways = Merges(described)
    found = {token for token in added if not UNUSED.fullmatch(token)} | ({*added} & used)
    found |= {piece for piece in order if BYTE.fullmatch(piece)} | {*ByteLevel.alphabet()} & vocabulary.keys()
    for piece in sorted(used - {*added}):
        found |= ways.steps(piece) & vocabulary.keys()
    byte_level = "ByteLevel" in str(described["pre_tokenizer"])
    letters = {letter for text in texts for letter in text} | {BLANK, " "}
    for piece in order:
        if len(found) >= pieces:
            break
        if piece not in found and piece not in added and letters.issuperset(written(piece, byte_level)):
            found |= ways.steps(piece) & vocabulary.keys()
    return [piece for piece in order if piece in found]


LETTERS = {letter: byte for byte, letter in zip(
    [*range(33, 127), *range(161, 173), *range(174, 256), *range(33), *range(127, 161), 173],
    [*map(chr, (*range(33, 127), *range(161, 173), *range(174, 256))), *map(chr, range(256, 256 + 68))], strict=True,
)}  # fmt: skip


def written(piece: str, byte_level: bool) -> str:
    """The text of a piece; half a character, which a piece of bytes may be, is U+FFFD."""
    if not byte_level:
        return piece
    spelled = [LETTERS[letter] for letter in piece if letter in LETTERS]
    return bytes(spelled).decode("utf-8", "replace") if len(spelled) == len(piece) else piece


def trimmed(described: Described, pieces: Iterable[str]) -> Described:
    """The tokenizer with these pieces alone, numbered in their order."""
    ids = {piece: number for number, piece in enumerate(pieces)}
    model = described["model"]
    vocabulary = {piece: ids[piece] for piece in model["vocab"] if piece in ids}
    pairs = [(merge, merge.split(" ", 1) if isinstance(merge, str) else merge) for merge in merges(described)]
    staying = [merge for merge, (left, right) in pairs if {left, right, left + right} <= vocabulary.keys()]
    added = [{**one, "id": ids[one["content"]]} for one in described["added_tokens"] if one["content"] in ids]
    small = {**described, "added_tokens": added, "model": {**model, "vocab": vocabulary, "merges": staying}}
    return {**small, "post_processor": renumbered(described["post_processor"], ids)}


def renumbered(part: Any, ids: dict[str, int]) -> Any:
    """A post-processor with the new ids of the special tokens it puts in."""
    if isinstance(part, list):
        return [renumbered(one, ids) for one in part]
    if not isinstance(part, dict):
        return part
    if part.keys() == {"id", "ids", "tokens"}:
        return {**part, "ids": [ids[token] for token in part["tokens"]]}
    return {key: renumbered(one, ids) for key, one in part.items()}
