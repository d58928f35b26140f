"""What the journal adds to a generation job: keys, records, account; and what a rerun takes that finds all answers."""

import random
import time

from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete, open_backend
from support.helpers import keep

DECODING = Decoding(temperature=0.0, top_p=1.0, max_new_tokens=16)
BATCH = 32


def test_the_journal_takes_less_than_three_percent_of_a_generation_job(model, words, tmp_path, monkeypatch):
    """The model is tiny, so that the share of a real one's job is far smaller."""
    rng = random.Random(1)
    prompts = [[{"role": "user", "content": " ".join(rng.choices(words, k=rng.randint(5, 40)))}] for _ in range(128)]
    seeds = [0] * len(prompts)
    seconds = {"generation": [], "journal": [], "rerun": []}
    for turn in range(3):
        start = time.perf_counter()
        given = list(open_backend(model, None, BATCH, tmp_path / "none").complete(prompts, DECODING, seeds))
        seconds["generation"].append(time.perf_counter() - start)

        class Known:
            def complete(self, *_, given=given):
                yield from given

            def close(self):
                pass

        # The same job with a backend that takes no time: what is left is the journal's.
        with monkeypatch.context() as patched:
            patched.setattr("refuseu.backends.journaled.open_backend", lambda *_: Known())
            for name in ("journal", "rerun"):
                start = time.perf_counter()
                found = complete(model, None, prompts, DECODING, tmp_path / f"{turn}.jsonl", BATCH)
                seconds[name].append(time.perf_counter() - start)
                assert found == [completion for _, completion in sorted(given, key=lambda pair: pair[0])]
    generation = min(seconds["generation"])
    shares = {f"{name}_over_generation": min(seconds[name]) / generation for name in ("journal", "rerun")}
    keep("journal", {"requests": len(prompts), "seconds": seconds, **shares})
    assert shares["journal_over_generation"] < 0.03
    assert shares["rerun_over_generation"] < 0.03
