"""Training steps of real size on a GPU: a randomly initialised Llama-3.1-8B, LoRA, 1,024 tokens per sequence.

Run with `python -m pytest tests/gpu`; what it measures lies in tests/benchmarks/results afterwards.
"""

import json
import random
import time
from datetime import date
from importlib.util import find_spec

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, TrainerCallback

from refuseu.miniature.models import train_tokenizer
from refuseu.training import alignment, reference
from refuseu.training.logprobs import write_reference
from support.helpers import ROOT

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

BATCH, LENGTH, WARM_UP, STEPS = 2, 1024, 2, 6
# Dense bfloat16, in FLOP/s, by the makers' data sheets.
PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
# Shape of Llama-3.1-8B, as its config.json has it.
LLAMA = LlamaConfig(
    vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
    num_key_value_heads=8, max_position_embeddings=131072, rms_norm_eps=1e-5, tie_word_embeddings=False,
)  # fmt: skip
TRAINER = {
    "per_device_train_batch_size": BATCH, "max_length": LENGTH, "bf16": True, "logging_steps": 1, "save_strategy": "no",
    "max_steps": WARM_UP + STEPS,
}  # fmt: skip
WAYS = {
    "shared reference, checkpointing": (True, {"gradient_checkpointing": True}),
    "own reference, checkpointing": (False, {"gradient_checkpointing": True}),
    "shared reference, no checkpointing": (True, {"gradient_checkpointing": False}),
    "shared reference, checkpointing, liger": (True, {"gradient_checkpointing": True, "use_liger_kernel": True}),
}


class Clock(TrainerCallback):
    """Starts after the steps of the warm-up."""

    def on_step_end(self, args, state, control, **kwargs):
        torch.cuda.synchronize()
        if state.global_step == WARM_UP:
            self.start = time.perf_counter()
        self.seconds = time.perf_counter() - getattr(self, "start", time.perf_counter())


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder, text = tmp_path_factory.mktemp("base"), (ROOT / "config/README.md").read_text(encoding="utf-8")
    template = (ROOT / "resources/miniature/templates/chat.jinja").read_text(encoding="utf-8")
    train_tokenizer([text], 1000, template).save_pretrained(folder)
    return {"model": "8b", "repository": str(folder), "revision": "local", "dtype": "bfloat16"}


def random_model(*_):
    torch.manual_seed(1)
    with torch.device("cuda"):
        return LlamaForCausalLM._from_config(LLAMA, dtype=torch.bfloat16)


def test_a_step_of_real_size(base, tmp_path, monkeypatch):
    for module in (reference, alignment):
        monkeypatch.setattr(module, "load_model", random_model)
    rng, words = random.Random(1), (ROOT / "config/README.md").read_text(encoding="utf-8").split()
    pairs = []
    for number in range(BATCH * (WARM_UP + STEPS)):
        turn = {"role": "user", "content": " ".join(rng.choices(words, k=40))}
        answers = {side: " ".join(rng.choices(words, k=LENGTH)) for side in ("chosen", "rejected")}  # will be cut
        turns = {side: [turn, {"role": "assistant", "content": text}] for side, text in answers.items()}
        pairs.append({"pair_id": str(number)} | turns)
    settings = {key: TRAINER[key] for key in ("max_length", "bf16")}
    found = reference.reference(pairs, base, settings, tmp_path / "j.jsonl", tmp_path / "work")
    write_reference(tmp_path / "r.parquet", *found)
    device = torch.cuda.get_device_name()
    peak = next((flops for name, flops in PEAK.items() if name in device), None)
    measured = {}
    for name, (shared, more) in WAYS.items():
        if "use_liger_kernel" in more and find_spec("liger_kernel") is None:
            measured[name] = "liger-kernel is not installed"
            continue
        recipe = {"trainer": TRAINER | more, "lora": {"r": 16, "lora_alpha": 32, "target_modules": "all-linear"}}
        run = {"method": "dpo", "seed": 1, "recipe": recipe}
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        trainer, _ = alignment.prepare(pairs, base, run, tmp_path / "r.parquet", {}, tmp_path / name)
        trainer.precompute_ref_logps = shared
        clock = Clock()
        trainer.add_callback(clock)
        try:
            trainer.train()
        except torch.OutOfMemoryError:
            measured[name] = "out of memory"
        else:
            tokens = 2 * BATCH * LENGTH * STEPS / clock.seconds
            weights = sum(p.numel() for p in trainer.model.parameters())
            measured[name] = {
                "tokens_per_second": tokens,
                # Forward, and backward without gradients of the frozen weights: 4 FLOP per weight and token.
                "mfu": 4 * weights * tokens / peak if peak else None,
                "peak_gb": torch.cuda.max_memory_allocated() / 1e9,
                "losses": [row["loss"] for row in trainer.state.log_history if "loss" in row],
            }
        del trainer
    target = ROOT / f"tests/benchmarks/results/step_{device.replace(' ', '_')}_{date.today()}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    facts = {"date": str(date.today()), "device": device, "torch": torch.__version__, "batch": BATCH, "length": LENGTH}
    target.write_text(json.dumps(facts | {"steps": measured}, indent=2) + "\n")
    first, second = (measured[name] for name in list(WAYS)[:2])
    assert first["tokens_per_second"] > second["tokens_per_second"]
    assert first["losses"] == pytest.approx(second["losses"], abs=2e-2)  # bfloat16
