"""Training: one reference for all runs against plain TRL, and the consistency loss against its authors' way.

Everything runs on one thread, so that CPU seconds are what an idle machine would take; those are compared.
"""

import json
import os
import random
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from refuseu.training.alignment import prepare
from refuseu.training.logprobs import write_reference
from refuseu.training.mlc import consistency_loss
from refuseu.training.reference import reference
from support.helpers import CODES, OFFLINE, ROOT, SCRIPTS, keep, new_tiny

PER_LANGUAGE = 4  # pairs
CONFIGURATIONS = {"balanced": CODES, "high_resource": CODES[:6], "english_only": CODES[:1], "no_english": CODES[1:]}
TRAINER = {
    "beta": 0.1, "learning_rate": 1e-4, "num_train_epochs": 3, "per_device_train_batch_size": 4, "max_length": 256,
    "bf16": False, "gradient_checkpointing": False, "logging_steps": 1, "save_strategy": "no", "seed": 1,
    "data_seed": 1,
}  # fmt: skip
LORA = {"r": 8, "target_modules": "all-linear"}
MLC = {
    "languages": "all", "lambda": 0.8, "temperature": 0.2, "normalise": "by_first", "every": 1, "layer": -1,
    "dimension": 64, "extractor": "trained",
}  # fmt: skip
WORDS = (ROOT / "config/README.md").read_text(encoding="utf-8").split()


def words(seed, low, high):
    rng = random.Random(seed)
    return " ".join(rng.choices(WORDS, k=rng.randint(low, high)))


def pair(code, number):
    turn = {"role": "user", "content": words(f"{code} {number}", 4, 10)}
    answers = {side: words(f"{code} {number} {side}", 20, 40) for side in ("chosen", "rejected")}
    return {"pair_id": f"{code}-{number}", "language": code} | {
        side: [turn, {"role": "assistant", "content": text}] for side, text in answers.items()
    }


PAIRS = [pair(code, number) for code in CODES for number in range(PER_LANGUAGE)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Tiny but not trivial: some two million weights."""
    text = (ROOT / "config/README.md").read_text(encoding="utf-8")
    return new_tiny(tmp_path_factory.mktemp("model"), [text], 1500, hidden=192, layers=4)


def process(*command):
    """Wall and CPU seconds and peak memory in MB of a process and its children."""
    paths = os.pathsep.join(map(str, (SCRIPTS, OFFLINE)))
    environ = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1",
                            "TRL_EXPERIMENTAL_SILENCE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}  # fmt: skip
    start = time.perf_counter()
    running = subprocess.Popen([sys.executable, *map(str, command)], env=environ, stderr=subprocess.PIPE, text=True)
    said = running.stderr.read()
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    assert status == 0, said[-3000:]
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def test_one_reference_for_all_runs_against_plain_trl(base, tmp_path):
    here, folder = Path(__file__).parent, tmp_path / "ours"
    folder.mkdir()
    files = {}
    for name, codes in CONFIGURATIONS.items():
        files[name] = tmp_path / f"{name}.jsonl"
        files[name].write_text("".join(json.dumps(p) + "\n" for p in PAIRS if p["language"] in codes))
    plain, facts = {"wall": 0.0, "cpu": 0.0, "mb": 0}, {}
    for name, file in files.items():
        # Explicit prompts, as TRL wants them.
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        theirs = [{"prompt": r["chosen"][:1], "chosen": r["chosen"][1:], "rejected": r["rejected"][1:]} for r in rows]
        (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in theirs))
        run = {"model": base["repository"], "output": str(tmp_path / "plain" / name), "trainer": TRAINER, "lora": LORA,
               "pairs": str(tmp_path / "pairs.jsonl"), "facts": str(tmp_path / "facts.json")}  # fmt: skip
        (tmp_path / "run.json").write_text(json.dumps(run))
        wall, cpu, mb = process(here / "plain_trl.py", tmp_path / "run.json")
        plain = {"wall": plain["wall"] + wall, "cpu": plain["cpu"] + cpu, "mb": max(plain["mb"], mb)}
        facts[name] = json.loads((tmp_path / "facts.json").read_text())
    asked = {"model": base["repository"], "folder": str(folder), "trainer": TRAINER, "lora": LORA,
             "all": str(files["balanced"]), "runs": {name: str(file) for name, file in files.items()}}  # fmt: skip
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    wall, cpu, _ = process(here / "shared_reference.py", tmp_path / "asked.json")
    ours = {name: json.loads((folder / f"{name}.json").read_text()) for name in (*CONFIGURATIONS, "reference")}
    for name in CONFIGURATIONS:  # equal work
        assert ours[name]["losses"] == pytest.approx(facts[name]["losses"], abs=1e-4)
        assert facts[name]["passes"] == 3 * PER_LANGUAGE * len(CONFIGURATIONS[name])
    singles = 11 * 3 * PER_LANGUAGE  # counted for the four, and the same for the eleven single languages
    found = {
        "pairs_trained_on": {name: PER_LANGUAGE * len(codes) for name, codes in CONFIGURATIONS.items()},
        "wall_seconds": {"plain": plain["wall"], "ours": wall},
        "cpu_seconds": {"plain": plain["cpu"], "ours": cpu},
        "training_cpu_seconds": {
            "plain": sum(fact["seconds"] for fact in facts.values()),
            "ours": sum(fact["seconds"] for fact in ours.values()),
        },
        "peak_mb": {"plain": plain["mb"], "ours": json.loads((folder / "peaks.json").read_text())},
        "reference_passes": {
            "plain": sum(fact["passes"] for fact in facts.values()), "ours": ours["reference"]["passes"],
            "plain_with_eleven_singles": sum(fact["passes"] for fact in facts.values()) + singles,
        },
    }  # fmt: skip
    passes = found["reference_passes"]
    found |= {
        "ours_over_plain": cpu / plain["cpu"],
        "training_ours_over_plain": found["training_cpu_seconds"]["ours"] / found["training_cpu_seconds"]["plain"],
        "passes_plain_over_ours": passes["plain_with_eleven_singles"] / passes["ours"],
    }
    keep("training", found)
    assert found["ours_over_plain"] <= 0.8
    assert found["training_ours_over_plain"] <= 0.8
    assert found["passes_plain_over_ours"] >= 8


# The consistency loss


def trainer_of(base, folder, pairs, languages, batch):
    """A trainer of the consistency loss over so many languages, ready to step."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"max_length": 256, "bf16": False}
    write_reference(folder / "r.parquet", *reference(pairs, base, settings, folder / "j.jsonl", folder / "work"))
    trainer = {k: v for k, v in TRAINER.items() if k not in ("seed", "data_seed")} | {"num_train_epochs": 1}
    recipe = {"trainer": trainer | {"per_device_train_batch_size": batch}, "mlc": MLC,
              "lora": LORA | {"init_lora_weights": False}}  # fmt: skip
    prompts = {p["pair_id"]: {c: words(f"{p['pair_id']} in {c}", 4, 10) for c in CODES[:languages]} for p in pairs}
    run = {"method": "dpo+mlc" if languages else "dpo", "seed": 1, "recipe": recipe}
    return prepare(pairs, base, run, folder / "r.parquet", prompts, folder / "checkpoints")[0]


def whole_batch(trainer, batch):
    """The authors' way: prompts of all languages as further full rows of the batch, logits of all of them."""
    model, pad = trainer.model, trainer.processing_class.pad_token_id
    ids, mask = batch["input_ids"], batch["attention_mask"]
    prompts, languages, length = batch["mlc_input_ids"].shape
    more = torch.full((prompts * languages, ids.shape[1]), pad)
    more[:, :length] = batch["mlc_input_ids"].view(-1, length)
    seen = torch.zeros_like(more)
    seen[:, :length] = batch["mlc_attention_mask"].view(-1, length)
    whole = model(input_ids=torch.cat([ids, more]), attention_mask=torch.cat([mask, seen]), output_hidden_states=True,
                  use_cache=False)  # fmt: skip
    scores = whole.logits[: len(ids), :-1].log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
    chosen, rejected = (scores * batch["completion_mask"][:, 1:]).sum(1).chunk(2)
    margin = chosen - batch["ref_chosen_logps"] - (rejected - batch["ref_rejected_logps"])
    states = whole.hidden_states[-1][len(ids) :][torch.arange(len(more)), seen.sum(1) - 1]
    states = model.mlc_extractor(states).view(prompts, languages, -1)
    loss = -logsigmoid(TRAINER["beta"] * margin).mean()
    return loss + MLC["lambda"] * consistency_loss(states, MLC["temperature"], MLC["normalise"])


def step(trainer, loss_of, batch, times=3):
    """Loss of a step forwards and backwards, and the CPU seconds of the quickest."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        loss = loss_of(deepcopy(batch))
        loss.backward()
        seconds.append(time.process_time() - start)
        trainer.model.zero_grad()
    return loss.item(), min(seconds)


def fit(sizes, seconds):
    """Seconds as a power of the size: its exponent."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_step_of_the_consistency_loss_against_its_authors_way(base, tmp_path, one_thread):
    found = {}
    for languages in (0, 2, 4, 8, 12):
        trainer = trainer_of(base, tmp_path / str(languages), PAIRS[:4], languages, 4)
        trainer.model.train()
        batch = trainer.data_collator([trainer.train_dataset[index] for index in range(4)])
        ours, seconds = step(trainer, lambda batch, t=trainer: t.compute_loss(t.model, batch), batch)
        found[languages] = {"ours": seconds}
        if languages in (4, 12):
            theirs, seconds = step(trainer, lambda batch, t=trainer: whole_batch(t, batch), batch)
            assert ours == pytest.approx(theirs, abs=1e-4)  # the same maths
            found[languages] |= {"authors": seconds, "ours_over_authors": found[languages]["ours"] / seconds}
    added = {n: found[n]["ours"] - found[0]["ours"] for n in (2, 4, 8, 12)}
    epochs = {}
    for pairs in (12, 24, 48):
        trainer = trainer_of(base, tmp_path / f"{pairs} pairs", PAIRS[:pairs], 2, 4)
        start = time.process_time()
        trainer.train()
        epochs[pairs] = time.process_time() - start
    keep(
        "consistency",
        {
            "step_seconds_by_languages": found,
            "epoch_seconds_by_pairs": epochs,
            "exponent_of_languages": fit(list(added), list(added.values())),
            "exponent_of_pairs": fit(list(epochs), list(epochs.values())),
        },
    )
    assert found[12]["ours_over_authors"] <= 0.6
    assert fit(list(epochs), list(epochs.values())) < 1.2
