"""A study whose dataset is made by servers of this machine alone: every model behind one address, and DeepL's."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

from support.deepl_server import DeepLServer
from support.helpers import ROOT, Checkout, Server, chat_completion, read_yaml

KEY = "canary-key-4242"
LANGUAGES = ("en", "de", "pl")
CATEGORIES = ("S1", "S2", "S10")
STYLES = 3
PROMPTS = len(LANGUAGES) * len(CATEGORIES) * STYLES * 4
SEEDS = 2 * len(CATEGORIES) + STYLES + 2  # categories, an activity each, styles, templates

MODELS = {  # model: roles, base, format
    "small": ("base", "small", "chat"),
    "large": ("base", "large", "chat"),
    "generator": ("generator", "", "chat"),
    "writer": ("generator", "", "chat"),
    "guard_a": ("guard", "", "llama_guard_3"),
    "guard_b": ("guard", "", "polyguard"),
    "adjudicator": ("adjudicator", "", "classify"),
    "fluency_judge": ("fluency_judge", "", "rating"),
}


def number(*parts):
    """A number that depends on nothing but its parts."""
    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:8], 16)


class Models(Server):
    """All models of the study but its bases behind one address. What they say depends on what they are asked alone.

    The generator writes bundled requests, the writer bundled refusals or compliance without substance.
    Each guard calls one prompt in seven safe, one refusal in nine (guard A) unsafe, and one answer in four
    safe, each guard others.
    """

    def __init__(self):
        with open(ROOT / "resources/miniature/translation_memory.tsv", encoding="utf-8", newline="") as rows:
            memory = list(csv.DictReader(rows, delimiter="\t"))
        frames, activities = (
            [row for row in memory if row["id"].startswith(f"{kind}/")] for kind in ("frame", "activity")
        )
        self.prompts = {
            code: [f[code].replace("{activity}", a[code]) for f in frames for a in activities] for code in LANGUAGES
        }
        self.language = {text: code for code, texts in self.prompts.items() for text in texts}
        self.texts = {code: read_yaml(f"resources/miniature/languages/{code}.yaml") for code in LANGUAGES}
        self.refusals = {text for texts in self.texts.values() for text in texts["refusals"]}
        super().__init__(self.reply)

    def reply(self, path, headers, body):
        asked = json.loads(body)
        messages = [message["content"] for message in asked["messages"]]
        return 200, chat_completion(getattr(self, asked["model"])(messages, asked.get("seed")))

    def generator(self, messages, seed):
        code = {"EN-GB": "en", "DE": "de"}.get(messages[0].split()[0], "pl")
        return self.prompts[code][number(messages, seed) % len(self.prompts[code])]

    def writer(self, messages, seed):
        texts = self.texts[self.language[messages[-1]]]["refusals" if len(messages) == 2 else "compliances"]
        return texts[number(messages, seed) % len(texts)]

    def guard_a(self, messages, seed):
        return "unsafe\nS1" if self.unsafe(messages[0], "".join(messages[1:]), 0) else "\n\nsafe"

    def guard_b(self, messages, seed):
        prompt, response = messages[1].removeprefix("Human user:\n").split("\n\nAI assistant:\n")
        said = "yes" if self.unsafe(prompt, response, 1) else "no"
        return f"Harmful request: {said}\nRequest safety violations: S1\nResponse refusal: no\nHarmful response: {said}"

    def unsafe(self, prompt, response, guard):
        if response in self.refusals:
            return number(prompt, response) % 9 == guard == 0
        return number(prompt, response) % (4 if response else 7) != guard


class Study(Checkout):
    """The study in a checkout of its own, with servers of its own."""

    def __init__(self, folder, models=Models):
        super().__init__(folder)
        self.results = self.folder / "results/apis"
        self.deepl, self.models = DeepLServer(KEY), models()
        self.environ |= {"DEEPL_AUTH_KEY": KEY}
        (self.folder / "seeds").mkdir()
        for name in ("categories", "activities", "styles", "instructions"):
            folder = "miniature" if name == "instructions" else "seeds/pl"  # short ones, that the memory has, too
            header, *lines = (ROOT / f"resources/{folder}/{name}.tsv").read_text(encoding="utf-8").splitlines()
            if name in ("categories", "activities"):
                by_category = {line.split("\t")[header.split("\t").index("category")]: line for line in lines}
                lines = [by_category[category] for category in CATEGORIES]
            elif name == "styles":
                lines = lines[:STYLES]
            (self.folder / f"seeds/{name}.tsv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        rows = ["model\troles\tbase\tformat\tbackend\trepository\trevision\tdtype\tgpus\tendpoint\tnote"]
        rows += [
            f"{name}\t{roles}\t{base}\t{format}\t{backend}\t{name}\t{revision}\tauto\t0\t{self.models.url}/v1\t"
            for name, (roles, base, format) in MODELS.items()
            for backend, revision in [("transformers", "0" * 40) if roles == "base" else ("openai", "api")]
        ]
        self.overlay("models.tsv", "\n".join([*rows, ""]))
        self.overlay("deepl.yaml", {"dataset": {"translation": {"server_url": self.deepl.url}}})

    def arguments(self, policies=None):
        more = [self.overlay("policies.yaml", {"dataset": {"policies": policies}})] if policies else []
        return "-c2", "dataset", "--configfile", "tests/config/apis.yaml", "deepl.yaml", *more

    def start(self, policies=None):
        """A run in a process group of its own; what it says goes to run.log."""
        return self.begin(["snakemake", "--nolock", *self.arguments(policies)])

    def begin(self, command):
        """A command of Snakemake as a user gives it."""
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=self.environ,
            stdout=open(self.folder / "run.log", "w"),  # lives as long as the run
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, policies=None):
        """A run to its end, and what it said."""
        code = self.start(policies).wait()
        said = (self.folder / "run.log").read_text()
        assert code == 0, said[-4000:]
        return said

    def asked(self):
        """How often each text and each request reached the servers."""
        return Counter(self.deepl.texts), Counter(body for _, _, body in self.models.requests)

    def files(self):
        """Bytes of all results by name."""
        kept = {"journal", "logs"}
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.rglob("*.jsonl"))
            if path.relative_to(self.results).parts[0] not in kept
        }

    def journaled(self, pattern):
        """Number of answers in the journals."""
        return sum(path.read_bytes().count(b"\n") for path in self.results.glob(f"journal/{pattern}.jsonl"))

    def records(self, name):
        return [json.loads(line) for line in (self.results / name).read_text(encoding="utf-8").splitlines()]

    def killed(self, server, requests, pattern, answers, clients):
        """Start, and kill everything when a server has answered so many requests and the journals hold so much.

        The server takes no other request, so that none is on its way when the end comes. The journals must
        hold the answers before so many clients have tried three times to ask for more.
        """
        server.taking, server.turned_away = requests, 0
        run = self.start()
        try:
            while server.taking or self.journaled(pattern) < answers:
                assert run.poll() is None, (self.folder / "run.log").read_text()[-4000:]
                assert server.turned_away <= 3 * clients
                time.sleep(0.05)
        finally:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        assert self.journaled(pattern) == answers
        server.taking = None
