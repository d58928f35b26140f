"""Backend ``vllm``: the offline engine, one per job."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vllm import LLM, SamplingParams

from refuseu.backends import Completion, Conversation, Decoding
from refuseu.backends.local import TOP, load, render


class VLLM:
    """A model in a vLLM engine; an adapter is merged into a temporary copy first.

    Parameters
    ----------
    model : a row of models.tsv as a dict; ``gpus`` is the tensor-parallel size
    adapter : folder of a LoRA adapter, or None
    """

    def __init__(self, model: dict[str, Any], adapter: str | Path | None):
        self.merged = tempfile.TemporaryDirectory() if adapter else None
        repository, revision = model["repository"], model["revision"]
        if self.merged:
            weights, tokenizer = load(model, adapter)
            weights.save_pretrained(self.merged.name)
            tokenizer.save_pretrained(self.merged.name)
            del weights
            repository, revision = self.merged.name, "local"
        self.engine = LLM(
            model=repository,
            revision=None if revision == "local" else revision,
            dtype=model["dtype"],
            tensor_parallel_size=max(1, model["gpus"]),
            enable_prefix_caching=True,
        )
        self.tokenizer = self.engine.get_tokenizer()

    def answer(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]:
        """All conversations at once; the engine schedules them."""
        prompts = [
            {"prompt_token_ids": self.tokenizer.encode(render(self.tokenizer, c), add_special_tokens=False)}
            for c in conversations
        ]
        sampling = [
            SamplingParams(
                temperature=decoding.temperature,
                top_p=decoding.top_p,
                max_tokens=decoding.max_new_tokens,
                seed=seed if decoding.temperature > 0 else None,
                logprobs=TOP if decoding.first_logprobs else None,
            )
            for seed in seeds
        ]
        for index, request in enumerate(self.engine.generate(prompts, sampling)):
            output = request.outputs[0]
            yield (
                index,
                Completion(
                    output.text,
                    output.finish_reason or "length",
                    len(request.prompt_token_ids),
                    len(output.token_ids),
                    first_word(output.logprobs),
                ),
            )


def first_word(steps: Any) -> dict[str, float] | None:
    """Log-probabilities at the first position whose chosen token is not blank."""
    for candidates in steps or []:
        words = {entry.decoded_token: round(entry.logprob, 5) for entry in candidates.values()}
        if max(words, key=words.__getitem__).strip():
            return words
    return None
