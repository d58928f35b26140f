"""Backend ``vllm``: the offline engine, one per job. vllm is imported only when the engine starts."""

import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from transformers import AutoConfig, GenerationConfig, PreTrainedTokenizerBase

from refuseu.asked import Asked
from refuseu.backends.completion import TOP, Completion, Conversation, Decoding
from refuseu.backends.local import Transformers, before_end, end_tokens, load, load_tokenizer, read, token_ids
from refuseu.errors import UserError

log = logging.getLogger("refuseu")
# Conversations that the engine is given at a time: enough to keep it busy, few enough to lose by a kill.
CHUNK = 1024
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # the values of max_lora_rank that vLLM takes
PARITY_PROMPTS = 4
PARITY_TOLERANCE = 0.25  # of log-probabilities; our choice, because kernels round differently
PARITY_DECODING = Decoding(temperature=0.0, top_p=1.0, max_new_tokens=1, first_logprobs=True)


class VLLM:
    """A model in a vLLM engine.

    Parameters
    ----------
    model : a row of models.tsv as a dict; ``gpus`` is the tensor-parallel size. ``adapters`` is merged
        (the default: into a temporary copy of the base) or lora. With the settings of ``engine`` in the config
    adapter : folder of a LoRA adapter, or None
    """

    def __init__(self, model: Asked, adapter: str | Path | None):
        self.model, self.adapter = model, adapter
        self.tokenizer = load_tokenizer(model)
        self.ends = end_tokens(self.tokenizer, named_ends(model))
        self.room = room(model)
        self.lora = bool(adapter) and model.get("adapters") == "lora"
        self.merged = tempfile.TemporaryDirectory() if adapter and not self.lora else None
        self.engine: Any = None

    def complete(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]:
        """Many conversations at a time; the engine schedules them.

        Raises
        ------
        UserError
            If the engine has no room for a prompt and its completion, or if it answers otherwise with the adapter
            than with merged weights.
        """
        check_lengths(conversations, self.tokenizer, self.model, decoding.max_new_tokens)
        expected = self._expected(conversations[:PARITY_PROMPTS]) if self.lora and not self.engine else []
        self._start()
        if expected:
            check_parity(expected, self._first(conversations[:PARITY_PROMPTS]), str(self.adapter))
        for start in range(0, len(conversations), CHUNK):
            chunk = slice(start, start + CHUNK)
            yield from enumerate(self._completions(conversations[chunk], decoding, seeds[chunk]), start=start)

    def close(self) -> None:
        """End the engine's processes: they outlive a worker that leaves, and a second engine finds the GPUs taken."""
        if self.engine:
            self.engine.llm_engine.engine_core.shutdown()
        if self.merged:
            self.merged.cleanup()

    def _start(self) -> None:
        """Start the engine, once; the parent process keeps off the GPUs, whose memory the engine wants."""
        if self.engine:
            return
        from vllm import LLM

        if self.merged:
            merge(self.model, self.adapter, self.merged.name)
        merged = self.merged.name if self.merged else None
        arguments = engine_arguments(self.model, self.room, self.adapter, merged)
        self.engine = LLM(**arguments, load_format="safetensors")  # never a pickle

    def _completions(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[Completion]:
        from vllm import SamplingParams
        from vllm.lora.request import LoRARequest

        requests = self.engine.generate(
            [{"prompt_token_ids": token_ids(self.tokenizer, c)} for c in conversations],
            [SamplingParams(**sampling_arguments(decoding, seed, self.ends)) for seed in seeds],
            lora_request=LoRARequest("adapter", 1, str(self.adapter)) if self.lora else None,
        )
        for request in requests:
            output = request.outputs[0]
            words = before_end(list(output.token_ids), self.ends)
            yield Completion(
                read(self.tokenizer, words),
                "stop" if output.finish_reason == "stop" else "length",
                len(request.prompt_token_ids),
                len(words),
                first_word(output.logprobs, words, self.tokenizer),
            )

    def _expected(self, conversations: Sequence[Conversation]) -> list[dict[str, float] | None]:
        """First log-probabilities with merged weights, on the CPU."""
        merged = Transformers(self.model, self.adapter, batch_size=1, on_gpu=False)
        found = dict(merged.complete(conversations, PARITY_DECODING, [0] * len(conversations)))
        return [found[index].first_logprobs for index in range(len(conversations))]

    def _first(self, conversations: Sequence[Conversation]) -> list[dict[str, float] | None]:
        return [c.first_logprobs for c in self._completions(conversations, PARITY_DECODING, [0] * len(conversations))]


def engine_arguments(model: Asked, room: int, adapter: str | Path | None, merged: str | None) -> dict[str, Any]:
    """What the engine is started with.

    Parameters
    ----------
    room : tokens of a prompt and its completion
    merged : folder of the merged weights, if there are any
    """
    local = merged or model["revision"] == "local"
    lora = {"enable_lora": True, "max_lora_rank": lora_rank(adapter)} if adapter and not merged else {}
    # On a CPU vLLM cannot draw with a seed what follows a prompt that it reads in parts.
    whole = {} if model["gpus"] else {"enable_chunked_prefill": False}
    return {
        "model": merged or model["repository"],
        "revision": None if local else model["revision"],
        "tokenizer_revision": None if local else model["revision"],
        "dtype": model["dtype"],
        "tensor_parallel_size": max(1, model["gpus"]),
        "gpu_memory_utilization": model["gpu_memory_utilization"],
        "max_model_len": room,
        "enforce_eager": model["enforce_eager"],
        "enable_prefix_caching": True,
        "max_logprobs": TOP,
        **lora,
        **whole,
    }


def pinned(model: Asked) -> dict[str, str | None]:
    """Where the hub's files of a row of models.tsv are."""
    return {"revision": None if model["revision"] == "local" else model["revision"]}


def made_for(model: Asked) -> int:
    """The longest text of a model, in tokens."""
    config = AutoConfig.from_pretrained(model["repository"], **pinned(model)).get_text_config()
    longest: int = config.max_position_embeddings
    return longest


def room(model: Asked) -> int:
    """Tokens of a prompt and its completion: ``max_model_len`` of the config, or what the model was made for."""
    return min(model["max_model_len"], made_for(model))


def named_ends(model: Asked) -> int | list[int] | None:
    """Ends that the model's generation config names, where it has one; the engine stops there, too."""
    try:
        config = GenerationConfig.from_pretrained(model["repository"], **pinned(model))
    except OSError:
        return None
    ends: int | list[int] | None = config.eos_token_id
    return ends


def check_lengths(
    conversations: Sequence[Conversation], tokenizer: PreTrainedTokenizerBase, model: Asked, new: int
) -> None:
    """Stop before the first completion if the engine would refuse a prompt, or cut what a model may still say.

    So ``max_model_len`` changes no completion, which would be kept as it is when there is more room.

    Parameters
    ----------
    new : tokens that a completion may have

    Raises
    ------
    UserError
        If a prompt leaves no room for a single token, or the config less than a completion may need.
    """
    longest = max((len(token_ids(tokenizer, conversation)) for conversation in conversations), default=0)
    most, given = made_for(model), model["max_model_len"]
    if longest >= min(most, given):
        raise UserError(
            f"a prompt for {model['model']} has {longest} tokens, and its engine has room for {min(most, given)} with "
            f"the completion; raise engine.max_model_len, unless the model was made for no more"
        )
    if longest + new > given and given < most:
        raise UserError(
            f"a prompt for {model['model']} has {longest} tokens and its completion up to {new}, and its engine has "
            f"room for {given}; raise engine.max_model_len to {min(longest + new, most)} or more"
        )


def sampling_arguments(decoding: Decoding, seed: int, ends: list[int]) -> dict[str, Any]:
    """How one answer is drawn."""
    return {
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "max_tokens": decoding.max_new_tokens,
        "seed": seed if decoding.temperature > 0 else None,
        "logprobs": TOP if decoding.first_logprobs else None,
        "stop_token_ids": ends,
    }


def lora_rank(adapter: str | Path) -> int:
    """The least ``max_lora_rank`` of vLLM that holds an adapter.

    Raises
    ------
    UserError
        If its rank is larger than vLLM allows.
    """
    config = json.loads((Path(adapter) / "adapter_config.json").read_text(encoding="utf-8"))
    rank = max(config["r"], *(config.get("rank_pattern") or {}).values(), 0)
    fitting = [allowed for allowed in RANKS if allowed >= rank]
    if not fitting:
        raise UserError(f"{adapter} has rank {rank}, vLLM takes at most {RANKS[-1]}; set generation.adapters to merged")
    return fitting[0]


def merge(model: Asked, adapter: str | Path | None, folder: str | Path) -> None:
    """Write the base with the adapter merged into it, and its tokenizer, to a folder; works on the CPU."""
    weights, tokenizer = load(model, adapter, on_gpu=False)
    weights.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def check_parity(
    expected: Sequence[dict[str, float] | None], found: Sequence[dict[str, float] | None], adapter: str
) -> None:
    """Hold the engine's first log-probabilities against those of merged weights.

    Raises
    ------
    UserError
        If the most likely token of merged weights is much more or much less likely in the engine.
    """
    for number, (ours, theirs) in enumerate(zip(expected, found, strict=True), start=1):
        if not ours:
            continue
        word = max(ours, key=ours.__getitem__)
        difference = abs((theirs or {}).get(word, float("-inf")) - ours[word])
        log.info("parity of prompt %d: log-probability of %r differs by %.4f", number, word, difference)
        if difference > PARITY_TOLERANCE:
            raise UserError(
                f"vLLM with {adapter} as LoRA answers otherwise than merged weights (the log-probability of a first "
                f"token differs by {difference:.2f}); set generation.adapters to merged"
            )


def first_word(steps: Any, tokens: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> dict[str, float] | None:
    """Log-probabilities at the first position whose chosen token is not blank.

    Parameters
    ----------
    steps : per generated token, token id → an object with ``logprob``
    tokens : the generated tokens, without the end
    """
    for chosen, candidates in zip(tokens, steps or [], strict=False):
        if tokenizer.decode([chosen]).strip():
            words: dict[str, float] = {}
            for token, entry in sorted(candidates.items(), key=lambda item: -item[1].logprob):
                words.setdefault(tokenizer.decode([token]), round(entry.logprob, 5))
            return words
    return None
