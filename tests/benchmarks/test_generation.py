"""Batches of like length against batches in order of arrival: same model, same prompts, same answers."""

import random
import time

from refuseu.backends.completion import Decoding
from refuseu.backends.local import Transformers
from support.helpers import keep

DECODING = Decoding(temperature=0.0, top_p=1.0, max_new_tokens=16)
BATCH = 32


def test_generation_by_length_against_arrival_order(model, words):
    rng = random.Random(1)
    # Most prompts are short, a few are long, as in real benchmarks.
    lengths = [rng.choice([5, 8, 10, 12, 15, 20, 30, 160]) for _ in range(256)]
    prompts = [[{"role": "user", "content": " ".join(rng.choices(words, k=n))}] for n in lengths]
    backend = Transformers(model, None, BATCH)
    seconds, answers = {"ours": [], "arrival order": []}, {}
    for _ in range(3):
        start = time.perf_counter()
        answers["ours"] = dict(backend.complete(prompts, DECODING, [0] * len(prompts)))
        seconds["ours"].append(time.perf_counter() - start)
        start = time.perf_counter()
        arrived = {}
        for first in range(0, len(prompts), BATCH):
            part = prompts[first : first + BATCH]
            arrived |= {first + i: c for i, c in backend.complete(part, DECODING, [0] * len(part))}
        answers["arrival order"] = arrived
        seconds["arrival order"].append(time.perf_counter() - start)
    ratio = min(seconds["arrival order"]) / min(seconds["ours"])
    keep("generation", {"seconds": seconds, "arrival_order_over_ours": ratio})
    assert answers["ours"] == answers["arrival order"]
    assert ratio > 1
