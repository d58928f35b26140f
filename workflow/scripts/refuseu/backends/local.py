"""Backend ``transformers``: a model in this process, batched by length, with or without an adapter."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from refuseu.asked import Asked
from refuseu.backends.completion import CHANNEL, TOP, Completion, Conversation, Decoding, final
from refuseu.backends.decoding import Processor, decode
from refuseu.backends.prompt_tokens import chat_ids, raw_ids, turn_end
from refuseu.weights import check_weights

ENDS = ("<|eot_id|>", "<|end_of_text|>", "<|im_end|>")
FIRST = 8  # tokens among which the first word of an answer is looked for
# What templates in the way of Llama 3.1's tell as today's date; its own default, so that every day asks alike.
DATE = "26 Jul 2024"


def load_tokenizer(model: Asked) -> PreTrainedTokenizerBase:
    """The left-padding tokenizer of a row of models.tsv."""
    revision = None if model["revision"] == "local" else model["revision"]
    tokenizer = AutoTokenizer.from_pretrained(model["repository"], revision=revision, padding_side="left")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load(
    model: Asked, adapter: str | Path | None = None, on_gpu: bool = True
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model (adapter merged in) and left-padding tokenizer of a row of models.tsv.

    Parameters
    ----------
    on_gpu : whether GPUs are used, where there are any
    """
    revision = None if model["revision"] == "local" else model["revision"]
    if revision is None:
        check_weights(model["repository"])
    weights = AutoModelForCausalLM.from_pretrained(
        model["repository"],
        revision=revision,
        dtype=model["dtype"],
        use_safetensors=True,
        device_map="auto" if on_gpu and torch.cuda.is_available() else None,
    )
    if adapter:
        weights = PeftModel.from_pretrained(weights, str(adapter)).merge_and_unload()
    return weights.eval(), load_tokenizer(model)


def token_ids(tokenizer: PreTrainedTokenizerBase, conversation: Conversation) -> list[int]:
    """What a model reads: its own chat template, or raw text for a continuation.

    Special tokens that stand in a prompt are text. Without such, never by way of the template's text, in which
    Mistral's tokenizer takes no special token for one.
    """
    if isinstance(conversation, str):
        return raw_ids(tokenizer, conversation)
    return chat_ids(tokenizer, conversation, add_generation_prompt=True, date_string=DATE)


def end_tokens(tokenizer: PreTrainedTokenizerBase, more: int | list[int] | None = None) -> list[int]:
    """Ids of the tokens that end an answer: what the chat template ends a turn with, and all that is known as such.

    Generation configs name not all: older Llama-3 derivatives one of two, Gemma's base not the end of a turn.

    Parameters
    ----------
    more : what the model's generation config names
    """
    known = tokenizer.get_vocab()
    named = more if isinstance(more, list) else [more]
    ends = {known[token] for token in ENDS if token in known} | {tokenizer.eos_token_id, turn_end(tokenizer), *named}
    return sorted(end for end in ends if end is not None)


def before_end(tokens: list[int], ends: list[int]) -> list[int]:
    """The tokens before the first end."""
    return tokens[: next((i for i, token in enumerate(tokens) if token in ends), len(tokens))]


def read(tokenizer: PreTrainedTokenizerBase, tokens: list[int]) -> str:
    """The text of an answer, without special tokens and without the reasoning of gpt-oss."""
    raw: str = tokenizer.decode(tokens, skip_special_tokens=False)
    plain: str = tokenizer.decode(tokens, skip_special_tokens=True)
    # The token, not a text that spells it.
    return final(raw) if CHANNEL in raw and CHANNEL in tokenizer.convert_ids_to_tokens(tokens) else plain


class Transformers:
    """A local model.

    Parameters
    ----------
    model : a row of models.tsv as a dict
    adapter : folder of a LoRA adapter, merged into the weights
    batch_size : conversations per batch
    on_gpu : whether GPUs are used, where there are any
    """

    def __init__(self, model: Asked, adapter: str | Path | None, batch_size: int, on_gpu: bool = True):
        self.model, self.tokenizer = load(model, adapter, on_gpu)
        self.batch_size = batch_size
        # Of how a checkpoint likes to answer nothing counts but its ends.
        self.ends = end_tokens(self.tokenizer, self.model.generation_config.eos_token_id)

    @torch.no_grad()
    def complete(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]:
        """Longest prompts first, in batches of like length: little padding, and memory runs out early or never."""
        ids = [token_ids(self.tokenizer, conversation) for conversation in conversations]
        order = sorted(range(len(ids)), key=lambda index: -len(ids[index]))
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            yield from zip(
                batch,
                self._complete([ids[i] for i in batch], decoding, [seeds[i] for i in batch]),
                strict=True,
            )

    def close(self) -> None:
        """The weights go with this object."""

    def _complete(self, ids: list[list[int]], decoding: Decoding, seeds: list[int]) -> list[Completion]:
        inputs = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(self.model.device)
        processors: list[Processor] = []
        top = TopLogprobs() if decoding.first_logprobs else None
        if top:
            processors.append(top)
        if decoding.temperature > 0:
            processors.append(SeededSampling(decoding, seeds))
        generated = decode(
            self.model,
            inputs["input_ids"],
            inputs["attention_mask"],
            processors,
            self.ends,
            decoding.max_new_tokens,
        )
        return [
            self._completion(tokens, len(prompt), top, row)
            for row, (tokens, prompt) in enumerate(zip(generated, ids, strict=True))
        ]

    def _completion(self, tokens: list[int], prompt: int, top: "TopLogprobs | None", row: int) -> Completion:
        words = before_end(tokens, self.ends)
        first = None
        if top:
            at = next((i for i, t in enumerate(words[:FIRST]) if self.tokenizer.decode([t]).strip()), None)
            first = top.at(at, row, self.tokenizer) if at is not None else None
        reason = "stop" if len(words) < len(tokens) else "length"
        return Completion(read(self.tokenizer, words), reason, prompt, len(words), first)


class TopLogprobs:
    """Keeps the most likely tokens of the first steps, (batch, 20) each; changes nothing.

    Answers begin with a word after a blank or two.
    """

    def __init__(self) -> None:
        self.steps: list[dict[int, tuple[torch.Tensor, torch.Tensor]]] = []

    def __call__(self, rows: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if len(self.steps) == FIRST:
            return scores
        values, tokens = torch.log_softmax(scores.float(), -1).topk(min(TOP, scores.shape[-1]))
        self.steps.append(dict(zip(rows.tolist(), zip(values.cpu(), tokens.cpu(), strict=True), strict=True)))
        return scores

    def at(self, step: int, row: int, tokenizer: PreTrainedTokenizerBase) -> dict[str, float]:
        values, tokens = self.steps[step][row]
        words: dict[str, float] = {}
        for token, value in zip(tokens.tolist(), values.tolist(), strict=True):
            words.setdefault(tokenizer.decode([token]), round(value, 5))
        return words


class SeededSampling:
    """Samples by inverting the distribution function, with numbers drawn per conversation beforehand.

    Greedy search over the processed scores takes the sampled token. Because each conversation brings
    its own numbers, its answer does not depend on the batch it happens to be in.
    """

    def __init__(self, decoding: Decoding, seeds: list[int]):
        self.temperature, self.top_p = decoding.temperature, decoding.top_p
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        numbers = [torch.rand(decoding.max_new_tokens, generator=generator) for generator in generators]
        self.numbers = iter(torch.stack(numbers, dim=1)[..., None])  # a step at a time: (conversations, 1)

    def __call__(self, rows: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        chances = torch.softmax(scores.float() / self.temperature, -1)
        if self.top_p < 1:
            ordered, index = chances.sort(descending=True)
            outside = ordered.cumsum(-1) - ordered >= self.top_p
            chances = chances.masked_fill(outside.scatter(-1, index, outside), 0.0)
        reached = chances.cumsum(-1)
        number = next(self.numbers)[rows.cpu()].to(scores.device) * reached[:, -1:]
        token = torch.searchsorted(reached, number, right=True).clamp_max(scores.shape[-1] - 1)
        return torch.full_like(scores, float("-inf")).scatter(-1, token, 0.0)
