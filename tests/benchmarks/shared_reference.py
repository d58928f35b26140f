"""The same runs as jobs of the workflow: `python shared_reference.py runs.json` forks one process per job.

As on a machine with warm workers, the imports are done once.
"""

import csv
import json
import os
import sys
import time
from pathlib import Path

from refuseu.records import read_jsonl
from refuseu.training import alignment
from refuseu.training.logprobs import write_reference
from refuseu.training.reference import reference as compute

asked = json.loads(Path(sys.argv[1]).read_text())
folder = Path(asked["folder"])
base = {"model": "tiny", "repository": asked["model"], "revision": "local", "dtype": "float32"}


def job(work):
    """Run it in a fork; its peak memory in MB."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    assert status == 0
    return used.ru_maxrss // 1024


def reference():
    settings = {key: asked["trainer"][key] for key in ("max_length", "bf16")}
    pairs = read_jsonl(asked["all"])
    start = time.process_time()
    found, rows, values = compute(pairs, base, settings, folder / "j.jsonl", folder / "work")
    write_reference(folder / "tiny.parquet", found, rows, values)
    facts = {"seconds": time.process_time() - start, "passes": len(values)}
    (folder / "reference.json").write_text(json.dumps(facts))


def train(name, pairs):
    trainer = {key: value for key, value in asked["trainer"].items() if key not in ("seed", "data_seed")}
    run = {"method": "dpo", "seed": asked["trainer"]["seed"], "recipe": {"trainer": trainer, "lora": asked["lora"]}}
    places = [folder / f"{name}{end}" for end in ("-checkpoints", "", "-events")]
    start = time.process_time()
    alignment.align(read_jsonl(pairs), base, run, folder / "tiny.parquet", {}, *places)
    seconds = time.process_time() - start
    with open(folder / name / "log.csv", encoding="utf-8") as lines:
        losses = [float(row["loss"]) for row in csv.DictReader(lines)]
    (folder / f"{name}.json").write_text(json.dumps({"seconds": seconds, "losses": losses}))


peaks = {"reference": job(reference)}
for name, pairs in asked["runs"].items():
    peaks[name] = job(lambda name=name, pairs=pairs: train(name, pairs))
(folder / "peaks.json").write_text(json.dumps(peaks))
