"""Preference pairs as token ids: one rendering for every objective and for the reference."""

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NotRequired, TypedDict

from refuseu.backends.prompt_tokens import chat_ids, turn_end
from refuseu.records import digest
from refuseu.rows import Pair, Turn


class Tokens(TypedDict):
    """A pair as token ids.

    Attributes
    ----------
    prompt_ids : to the end of the generation header
    chosen_ids, rejected_ids : of the answers
    mlc_ids : the prompt in every language (consistency loss)
    ref_chosen_logps, ref_rejected_logps : reference log-probabilities, sums over the answers' tokens (DPO)
    """

    pair_id: str
    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]
    mlc_ids: NotRequired[list[list[int]]]
    ref_chosen_logps: NotRequired[float]
    ref_rejected_logps: NotRequired[float]


def tokenise(pairs: Sequence[Pair], tokenizer: Any, max_length: int | None) -> tuple[list[Tokens], dict[str, int]]:
    """Token ids of each pair under the tokenizer's chat template, and how many pairs were left out or cut.

    Answers are cut so that prompt and answer have at most `max_length` tokens. Left out are pairs whose
    prompt alone is that long, pairs whose answers are then identical, and pairs whose text spells a special
    token: whoever writes one has lost the format, and other trainers would read it as the end of a turn.
    Where the template renders a prompt differently once it is answered, the answer starts where the two part,
    as in TRL; such prompts are counted. An answer ends where its turn does: what a template writes after that, as
    Gemma's and Qwen's do, no model says, and the preference would be learned from it.

    Parameters
    ----------
    pairs : with ``pair_id``, ``chosen`` and ``rejected``, which are conversations with the same prompt
    max_length : in tokens; None for no limit

    Returns
    -------
    rows : ``pair_id``, ``prompt_ids`` (to the end of the generation header), ``chosen_ids`` and
        ``rejected_ids``
    counts : for the manifest
    """
    end = turn_end(tokenizer)
    special = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    rows: list[Tokens] = []
    counts = Counter(pairs=len(pairs))
    for pair in pairs:
        turns = [*pair["chosen"], pair["rejected"][-1]]
        if special & {token for turn in turns for token in tokenizer.encode(turn["content"], add_special_tokens=False)}:
            counts["dropped_special_token"] += 1
            continue
        asked = render(tokenizer, pair["chosen"][:-1], add_generation_prompt=True)
        whole = [up_to_last(end, render(tokenizer, pair[side])) for side in ("chosen", "rejected")]
        prompt = common_prefix(asked, *whole)
        chosen, rejected = (ids[len(prompt) : max_length] for ids in whole)
        if max_length is not None and len(prompt) >= max_length:
            counts["dropped_prompt_too_long"] += 1
        elif chosen == rejected:
            counts["dropped_identical"] += 1
        else:
            counts["shortened_prompts"] += len(prompt) < len(asked)
            counts["cut_answers"] += sum(max_length is not None and len(ids) > max_length for ids in whole)
            rows.append(Tokens(pair_id=pair["pair_id"], prompt_ids=prompt, chosen_ids=chosen, rejected_ids=rejected))
    return rows, {name: counts[name] for name in COUNTS}


COUNTS = (
    "pairs", "dropped_special_token", "dropped_prompt_too_long", "dropped_identical", "cut_answers", "shortened_prompts"
)  # fmt: skip


def totals(rows: Sequence[Tokens]) -> dict[str, int]:
    """Number of rows, and of tokens by part: each prompt once, and for MLC the prompts of all languages."""
    found = {
        "kept": len(rows),
        "prompt_tokens": sum(len(row["prompt_ids"]) for row in rows),
        "chosen_tokens": sum(len(row["chosen_ids"]) for row in rows),
        "rejected_tokens": sum(len(row["rejected_ids"]) for row in rows),
    }
    if rows and "mlc_ids" in rows[0]:
        found["mlc_prompt_tokens"] = sum(len(ids) for row in rows for ids in row["mlc_ids"])
    return found


def width(row: Tokens) -> int:
    """Tokens of the longer of a pair's two sequences."""
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))


def render(tokenizer: Any, conversation: Sequence[Turn], add_generation_prompt: bool = False) -> list[int]:
    """Token ids of a conversation, with the special tokens of the chat template and no others."""
    return chat_ids(tokenizer, conversation, add_generation_prompt=add_generation_prompt)


def up_to_last(token: int | None, ids: list[int]) -> list[int]:
    """The ids up to the last of a token; all of them where it is not among them."""
    return ids if token is None or token not in ids else ids[: len(ids) - ids[::-1].index(token)]


def common_prefix(*sequences: list[int]) -> list[int]:
    """What all sequences begin with."""
    return [ids[0] for ids in takewhile(lambda ids: len(set(ids)) == 1, zip(*sequences, strict=False))]


def token_digest(row: Tokens) -> str:
    """Digest of a pair's tokens."""
    return digest([row["prompt_ids"], row["chosen_ids"], row["rejected_ids"]])


def prompts_in_all_languages(
    rows: Sequence[Tokens], translations: dict[str, dict[str, str]], tokenizer: Any
) -> list[list[list[int]]]:
    """Token ids of each row's prompt in every language, to the end of the generation header."""
    return [
        [
            render(tokenizer, [Turn(role="user", content=text)], add_generation_prompt=True)
            for text in translations[row["pair_id"]].values()
        ]
        for row in rows
    ]
