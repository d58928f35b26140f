"""Conversations as token ids: what a template writes may be a special token, what stands in a text is text."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerBase

from refuseu.backends.completion import Formatted
from refuseu.chat_template import missing
from refuseu.templates import fill

PRIVATE = range(0xE000, 0xF900)  # characters without meaning


@lru_cache(maxsize=4)
def special_tokens(tokenizer: PreTrainedTokenizerBase) -> re.Pattern[str] | None:
    """What finds the tokenizer's special tokens in a text; None where it never takes them for such, as Mistral's."""
    try:
        added = tokenizer.added_tokens_decoder.values()
    except NotImplementedError:
        return None
    names = sorted((re.escape(token.content) for token in added if token.special), key=len, reverse=True)
    return re.compile("|".join(names)) if names else None


def chat_ids(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Mapping[str, object]], **options: Any) -> list[int]:
    """Token ids of a conversation under the chat template.

    Parameters
    ----------
    options : of ``apply_chat_template``

    Raises
    ------
    UserError
        If the tokenizer has no chat template.
    """
    check_template(tokenizer)
    texts, hidden = hide(tokenizer, [str(turn["content"]) for turn in turns])
    if not hidden:
        ids: list[int] = tokenizer.apply_chat_template(list(turns), tokenize=True, return_dict=False, **options)
        return ids
    masked = [{**turn, "content": text} for turn, text in zip(turns, texts, strict=True)]
    return encode(tokenizer, str(tokenizer.apply_chat_template(masked, tokenize=False, **options)), hidden)


@lru_cache(maxsize=4)
def check_template(tokenizer: PreTrainedTokenizerBase) -> None:
    """Stop if a tokenizer has no chat template; Mistral's own has it built in.

    Raises
    ------
    UserError
        Naming the model and the cure.
    """
    try:
        tokenizer.get_chat_template()
    except NotImplementedError:
        pass
    except ValueError:
        raise missing(str(tokenizer.name_or_path)) from None


def after_answer(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids that the chat template writes behind an assistant's words; none if there is none, or it refuses."""
    words = "0123"
    turns = [{"role": "user", "content": words}, {"role": "assistant", "content": words}]
    try:
        tokenizer.get_chat_template()
        text = str(tokenizer.apply_chat_template(turns, tokenize=False))
    except (ValueError, TypeError, TemplateError, NotImplementedError):
        return []
    return [int(token) for token in tokenizer.encode(text.rpartition(words)[2], add_special_tokens=False)]


@lru_cache(maxsize=4)
def turn_end(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The token that ends an assistant's turn: the first special one that the chat template writes behind its words."""
    try:
        special = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    except NotImplementedError:
        return None
    return next((token for token in after_answer(tokenizer) if token in special), None)


def raw_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of a text that has no chat template, behind the beginning of a text."""
    layout, values = (text.layout, text.values) if isinstance(text, Formatted) else ("{text}", {"text": text})
    texts, hidden = hide(tokenizer, list(values.values()))
    filled = fill(layout, dict(zip(values, texts, strict=True)))
    return encode(tokenizer, (tokenizer.bos_token or "") + filled, hidden)


def hide(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> tuple[list[str], dict[str, str]]:
    """Texts with a mark for every special token in them, and what the marks stand for."""
    hidden: dict[str, str] = {}
    if not (special := special_tokens(tokenizer)) or not any(map(special.search, texts)):
        return texts, hidden
    edge = next(chr(code) for code in PRIVATE if not any(chr(code) in text for text in texts))

    def mark(found: re.Match[str]) -> str:
        name = f"{edge}{len(hidden)}{edge}"
        hidden[name] = found[0]
        return name

    return [special.sub(mark, text) for text in texts], hidden


def encode(tokenizer: PreTrainedTokenizerBase, rendered: str, hidden: Mapping[str, str]) -> list[int]:
    """Token ids of a rendered text; what was hidden in it is read letter by letter, as any other text."""
    parts = re.split(f"({'|'.join(hidden)})", rendered) if hidden else [rendered]
    ids: list[int] = []
    for part in parts:
        text = hidden.get(part)
        ids += tokenizer.encode(
            part if text is None else text,
            add_special_tokens=False,
            **({} if text is None else {"split_special_tokens": True}),
        )
    return ids
