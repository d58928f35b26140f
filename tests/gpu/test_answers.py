"""Answers and labels at real size on a GPU: randomly initialised Llamas of 1B and 8B through the backend transformers.

Run with `python -m pytest tests/gpu`; what it measures lies in tests/benchmarks/results afterwards.
"""

import json
import random
import time
from datetime import date

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from refuseu.backends.completion import Decoding
from refuseu.backends.local import Transformers
from refuseu.evaluation.judging import label
from refuseu.miniature.models import train_tokenizer
from support.helpers import ROOT

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

PROMPTS, BATCH, NEW_TOKENS = 256, 64, 128
# hidden, intermediate, layers, heads, key-value heads, as in the models' config.json.
SHAPES = {"1B": (2048, 8192, 16, 32, 8), "8B": (4096, 14336, 32, 32, 8)}


@pytest.fixture(params=SHAPES)
def model(request, tmp_path):
    hidden, intermediate, layers, heads, groups = SHAPES[request.param]
    config = LlamaConfig(
        vocab_size=128256, hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=groups, max_position_embeddings=8192, rms_norm_eps=1e-5,
    )  # fmt: skip
    torch.manual_seed(1)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        LlamaForCausalLM._from_config(config, dtype=torch.bfloat16).save_pretrained(tmp_path)
    template = (ROOT / "resources/miniature/templates/chat.jinja").read_text(encoding="utf-8")
    train_tokenizer([(ROOT / "config/README.md").read_text(encoding="utf-8")], 1000, template).save_pretrained(tmp_path)
    row = {"model": request.param, "backend": "transformers", "format": "llama_guard_3", "endpoint": ""}
    return row | {"repository": str(tmp_path), "revision": "local", "dtype": "bfloat16", "gpus": 1}


def test_answers_and_labels(model, tmp_path):
    rng, words = random.Random(1), (ROOT / "config/README.md").read_text(encoding="utf-8").split()
    texts = [" ".join(rng.choices(words, k=rng.choice([5, 10, 20, 40, 160]))) for _ in range(PROMPTS)]
    backend = Transformers(model, None, BATCH)
    decoding = Decoding(temperature=0.0, top_p=1.0, max_new_tokens=NEW_TOKENS)
    start = time.perf_counter()
    answers = dict(backend.complete([[{"role": "user", "content": t}] for t in texts], decoding, [0] * PROMPTS))
    seconds = time.perf_counter() - start
    tokens = sum(answer.completion_tokens for answer in answers.values())
    del backend
    start = time.perf_counter()
    labels = label(model, [(t, answers[i].text) for i, t in enumerate(texts)], {}, tmp_path / "journal.jsonl", BATCH)
    judging = time.perf_counter() - start
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    facts = {
        "date": str(date.today()), "device": device, "torch": torch.__version__, "prompts": PROMPTS, "batch": BATCH,
        "new_tokens_per_second": tokens / seconds, "labels_per_second_with_loading": PROMPTS / judging,
    }  # fmt: skip
    target = ROOT / f"tests/benchmarks/results/answers_{model['model']}_{device.replace(' ', '_')}_{date.today()}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(facts, indent=2) + "\n")
    assert len(answers) == len(labels) == PROMPTS and tokens > 0
    assert {row["label"] for row in labels} <= {"safe", "unsafe", "unparsed"}
