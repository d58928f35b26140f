"""A small study on a real SLURM, for tests of several files: rows, sheets, servers, and what SLURM says of its jobs."""

import csv
import hashlib
import json
import subprocess
import threading
from collections import Counter

import pandas as pd

from support.helpers import ROOT, Checkout, Drop, Server, chat_completion, read_yaml
from support.slurm import until

LANGUAGES, PAIRS, PROMPTS = ("en", "pl"), 30, 24
VARIANT = "small-balanced-s1"
EVALUATED = ("small", "remote", VARIANT)

# Rows of the sheets; what is not said is empty. The base has one GPU, and guard A is the base again, on two.
TINY = {"backend": "transformers", "repository": "<study>/train_model/small_instruct", "revision": "local"}
MODELS = [
    {"model": "small", "roles": "base", "base": "small", "format": "chat", "dtype": "float32", "gpus": 1, **TINY},
    {"model": "guard_a", "roles": "guard", "format": "llama_guard_3", "dtype": "float32", "gpus": 2, **TINY},
]
REMOTE = {
    "remote": ("open,generator", "chat"),
    "guard_b": ("guard", "polyguard"),
    "adjudicator": ("adjudicator", "classify"),
    "rater": ("fluency_judge", "rating"),
}
VARIANTS = [
    {"variant": "balanced", "base": "small", "languages": "all", "method": "dpo", "recipe": "few_steps", "seed": 1}
]
BENCHMARKS = [
    {"benchmark": "refuseu_test", "source": "refuseu", "kind": "harmful", "languages": "all", "mode": "chat"}
    | {"max_new_tokens": 96, "models": "all", "revision": "dataset"}
]


def turns(prompt, answer):
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


class Models(Server):
    """API models whose answers depend on what they are asked alone. Any can be held up after so many answers."""

    def __init__(self):
        self.answered, self.left, self.gates = Counter(), {}, {}
        self.counting = threading.Lock()
        super().__init__(self.reply)

    def hold(self, name, answers):
        """Let a model give so many more answers and then none until `release`."""
        self.gates[name] = threading.Event()
        self.left[name] = answers

    def release(self, name):
        """Let those who wait ask again."""
        self.left[name] = None
        self.gates[name].set()

    def reply(self, path, headers, body):
        name = json.loads(body)["model"]
        with self.counting:
            held = self.left.get(name) == 0
            if self.left.get(name):
                self.left[name] -= 1
            if not held:
                self.answered[body] += 1
        if held:
            self.gates[name].wait()
            raise Drop
        yes = int(hashlib.sha256(body.encode()).hexdigest(), 16) % 2
        text = {
            "remote": "I cannot help with that." if yes else "Of course.",
            "guard_b": f"Harmful response: {'yes' if yes else 'no'}",
            "adjudicator": "unsafe\nS1" if yes else "safe",
        }[name]
        return 200, chat_completion(text)


class Study(Checkout):
    """The study in a checkout of its own, with servers of its own."""

    def __init__(self, folder, cluster):
        super().__init__(folder)
        self.cluster, self.models = cluster, Models()
        self.results = self.folder / "results/cluster"
        self.environ |= cluster.user(folder) | {"OPENAI_API_KEY": "canary-key-4242"}
        remote = []
        for name, (roles, format) in REMOTE.items():
            row = {"model": name, "roles": roles, "format": format, "backend": "openai", "repository": name}
            remote.append(row | {"revision": "api", "dtype": "auto", "gpus": 0, "endpoint": f"{self.models.url}/v1"})
        self.rows = MODELS + remote
        self.sheet("models", self.rows)
        self.sheet("variants", VARIANTS)
        self.sheet("benchmarks", BENCHMARKS)
        self.write_rows()

    def sheet(self, name, rows):
        """A sheet with the columns that the miniature's has."""
        columns = (ROOT / f"config/miniature/{name}.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t")
        lines = ["\t".join(str(row.get(column, "")) for column in columns) for row in rows]
        self.overlay(f"{name}.tsv", "\n".join(["\t".join(columns), *lines, ""]))

    def write_rows(self):
        """Bundled requests, refusals and answers without substance, in the released layout."""
        with open(ROOT / "resources/miniature/translation_memory.tsv", encoding="utf-8", newline="") as lines:
            memory = list(csv.DictReader(lines, delimiter="\t"))
        frames, activities = ([r for r in memory if r["id"].startswith(f"{kind}/")] for kind in ("frame", "activity"))
        asked = []
        for code in LANGUAGES:
            texts = read_yaml(f"resources/miniature/languages/{code}.yaml")
            prompts = [f[code].replace("{activity}", a[code]) for a in activities for f in frames]
            (self.folder / f"rows/lang_{code}").mkdir(parents=True)
            answers = {side: texts[kind] for side, kind in (("chosen", "refusals"), ("rejected", "compliances"))}
            pairs = [
                {"lang": code, "id": f"{n:03}", "row_id": n, "category": "S1"}
                | {side: turns(prompt, said[n % len(said)]) for side, said in answers.items()}
                for n, prompt in enumerate(prompts[:PAIRS])
            ]
            pd.DataFrame(pairs).to_parquet(self.folder / f"rows/lang_{code}/train-00000-of-00001.parquet")
            asked += [{"row_id": n, "lang": code, "prompt": p} for n, p in enumerate(prompts[-PROMPTS:])]
        (self.folder / "rows/evaluation").mkdir()
        pd.DataFrame(asked).to_parquet(self.folder / "rows/evaluation/eval-00000-of-00001.parquet")

    def start(self, *more, targets=("verdicts", "training_curves"), where=("--profile", "slurm")):
        """`snakemake --profile slurm`, in a process group of its own, as a terminal would."""
        configs = ["config/miniature/config.yaml", "tests/config/cluster.yaml"]
        self.process = subprocess.Popen(
            ["snakemake", *where, *targets, *more, "--configfile", *configs],
            cwd=self.folder,
            env=self.environ,
            stdout=open(self.folder / "run.log", "w"),  # noqa: SIM115 (lives as long as the run)
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return self.process

    def run(self, *more, code=0, **how):
        """A run to its end, and what it said."""
        ended = self.start(*more, **how).wait()
        assert ended == code, self.said()[-6000:]
        return self.said()

    def said(self):
        return (self.folder / "run.log").read_text()

    def jobs(self, step=None, state=None):
        """SLURM's records, of one step and in one state."""
        return [
            job for job in self.cluster.jobs(self.folder) if step in (None, job.step) and state in (None, job.state)
        ]

    def running(self, step, run):
        """The job of a step, as soon as its script runs."""

        def found():
            assert run.poll() is None, self.said()[-6000:]
            return next((job for job in self.jobs(step, "RUNNING") if any(self.cluster.processes(job))), None)

        return until(found, f"{step} runs")

    def journal(self, name):
        """Number of answers in a journal."""
        path = self.results / "journal" / name
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def files(self):
        """Bytes of all results by name; not the manifests, which tell the time, nor PEFT's list of modules, whose
        order is chance."""
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.rglob("*"))
            if path.is_file()
            and path.relative_to(self.results).parts[0] not in ("journal", "logs", "benchmarks")
            and path.name not in ("manifest.json", "adapter_config.json", "training_args.bin")
            and path.suffix not in (".pdf", ".png")
        }
