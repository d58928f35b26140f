"""The two studies as their sheets describe them, and what can be asked of them."""

from refuseu.artifacts.declared import ARTIFACTS
from support.helpers import ROOT

MINIATURE = ("--profile", "miniature")
SLURM = ("--profile", "slurm")
STOPS = ["dataset", "models", "generations", "verdicts", "tables", "figures", "claims", "report"]


def own(kind):
    """Targets that both studies have: what needs held-out judges, or the miniature's, is asked for besides."""
    besides = ("miniature", "audited", "held_out", "asked")
    return [one.target for one in ARTIFACTS if one.kind == kind and one.when not in besides]


TABLES, FIGURES = own("table"), own("figure")
NARROW = ("balanced", "high_resource", "english_only", "no_english", "english_only_mlc")
CONTROLS = ("balanced_small", "english_only_long")  # on the benchmarks of the open question


class Sheets:
    """The models of a study by what they are, from its sheets alone."""

    def __init__(self, folder, profile, bases, guards):
        rows = [line.split("\t") for line in (ROOT / folder / "variants.tsv").read_text().splitlines()[1:]]
        self.profile, self.bases, self.guards = profile, bases, guards
        self.twins = [f"{base}_instruct" for base in bases]
        self.trained = {f"{row[1]}-{row[0]}-s{row[5]}": row for row in rows}
        self.single = [model for model, row in self.trained.items() if row[0].startswith("single_")]
        self.narrow = [model for model in self.trained if model not in self.single]
        self.everywhere = [model for model in self.narrow if self.trained[model][0] in NARROW]  # on all benchmarks
        self.controls = [model for model in self.narrow if self.trained[model][0] in CONTROLS]
        models = [line.split("\t") for line in (ROOT / folder / "models.tsv").read_text().splitlines()[1:]]
        self.open = [row[0] for row in models if row[1] == "open"]

    def of(self, base, models):
        return [model for model in models if self.trained[model][1] == base]


STUDIES = {
    "miniature": Sheets("config/miniature", MINIATURE, ["small", "large"], ["guard_a", "guard_b"]),
    "paper": Sheets("config", SLURM, ["8b", "70b"], ["llama_guard_3", "polyguard"]),
}
