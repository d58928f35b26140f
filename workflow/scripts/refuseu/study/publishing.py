"""What the card of a published model shows, and what a results bundle holds.

A bundle holds each file at which texts end: what the steps that read prompts and answers found. From these the rules
`AGAIN` make all tables, figures, claims and the report. Where one of them reads a file with texts that it needs for
their number and lengths alone, the bundle has it with every text blotted out (`refuseu.publish.redaction`); what needs
the words themselves (`Artifact.words`) is in it as it was drawn.
"""

from itertools import chain
from pathlib import Path

from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.declared import ARTIFACTS
from refuseu.study.artifact_rules import ArtifactRules
from refuseu.study.benchmarks import Values, Wildcards
from refuseu.study.building import Building
from refuseu.study.study import CLAIMS

# Rules that read no words: those of most tables and figures, and what stands around them.
AROUND = ("over_seeds", "compare", "metrics", "comparisons", "claims", "latex_numbers", "report")
AGAIN = (*AROUND, *(one.target for one in ARTIFACTS if one.kind != "page" and not one.words))
PAGES = (
    "claims.csv", "claims.md", "claims.html", "metrics/metrics.csv", "comparisons/comparisons.csv",
    "tables/numbers.tex", "report.html",
)  # fmt: skip


class Publishing(ArtifactRules):
    """The lookups of ``rules/publish.smk``."""

    # A model

    def whole_weights(self, wildcards: Wildcards) -> str:
        """The folder with the whole model of a variant: merged, or as it was trained."""
        model = wildcards["model"]
        return self.trained(model) if model in self.study.trained_fully else f"<study>/merge_model/{model}"

    def card_measures(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """The measures of a variant and of its base on the benchmarks on which the study evaluates the variant."""
        model = wildcards["model"]
        base, on = self.study.variants[model].base, [b for b in self.study.benchmarks if self.on(model, b)]
        both = [(b, self.on(base, b)) for b in on]
        asked = [b for b, known in both if known and self.study.benchmarks[b].kind == "knowledge"]
        return {
            "measures": [f"<study>/measure/{model}/{b}.csv" for b in on],
            "of_base": [f"<study>/measure/{base}/{b}.csv" for b, known in both if known],
            "answered": [f"<study>/measure/{model}/{b}.jsonl" for b in asked],
            "answered_by_base": [f"<study>/measure/{base}/{b}.jsonl" for b in asked],
        }

    def on(self, model: str, benchmark: str) -> bool:
        """Whether a model is evaluated on a benchmark."""
        return model in self.study.models_on(benchmark)

    def model_facts(self, wildcards: Wildcards) -> Values:
        """What the card of a variant says that neither its manifest nor its measures know."""
        variant, dataset = self.study.variants[wildcards["model"]], self.config["dataset"]
        built = dataset["source"] == "build"
        released = {"released pairs": {k: dataset[k] for k in ("repository", "revision")}}
        return {
            "study": self.study.name,
            "model": variant.model,
            "languages": list(variant.languages),
            "origin": self.origin(self.row(variant.base)),
            "groups": self.config["languages"],
            "statistics": self.config["statistics"],
            "kinds": {name: row.kind for name, row in self.study.benchmarks.items() if self.on(variant.model, name)},
            "guards": list(self.config["judging"]["guards"]),
            "uses": Building(self.study).card_facts()["models"] if built else released,
            "built": built,
        }

    # A bundle

    def carried(self) -> list[str]:
        """What a bundle holds of the results."""
        study = self.study
        evaluated = [(m, b) for b in study.benchmarks for m in study.models_on(b)]
        known = [f"<study>/measure/{m}/{b}.{suffix}" for m, b in evaluated for suffix in ("csv", "jsonl")]
        manifests = [f"<study>/align/{model}/manifest.json" for model in study.variants]
        shown = self.evaluations("table1") if self.config["report"]["examples"] and self.reveal else []
        examples = [f"<study>/{step}/{m}/{b}.jsonl" for step in ("generate", "adjudicate") for m, b in shown]
        parts = [self.made(one) if one.words else self.read_by(one) for one in self.own("table", "figure")]
        made = set(self.drawn_again())
        found = dict.fromkeys([*known, *manifests, "<study>/spending/spending.json", *examples, *chain(*parts)])
        return [file for file in found if file.startswith("<study>/") and file not in made and not self.counted(file)]

    @property
    def reveal(self) -> bool:
        """Whether texts stay in a bundle: the switch of the page of all answers."""
        return bool(self.config["report"]["reveal"])

    def counted(self, file: str) -> bool:
        """Whether a file is made by one of the rules `AROUND`."""
        return file.removeprefix("<study>/").partition("/")[0].partition(".")[0] in AROUND

    def read_by(self, artifact: Artifact) -> list[str]:
        """The inputs of a table or figure."""
        return list(chain.from_iterable([i] if isinstance(i, str) else i for i in self.inputs(artifact).values()))

    def made(self, artifact: Artifact) -> list[str]:
        """The files of a table or figure."""
        stem = f"<study>/{artifact.kind}s/{artifact.file}"
        if artifact.kind == "figure":
            return [f"{stem}.{suffix}" for suffix in ("csv", "pdf", "png")]
        tables = [f"{stem}.{suffix}" for suffix in ("csv", "md", "tex")]
        return [*tables, f"<study>/{artifact.target}/page.json", *self.frame(artifact).values()]

    def drawn_again(self) -> list[str]:
        """The files of all tables and figures that are drawn from a bundle."""
        return list(chain(*(self.made(one) for one in self.own("table", "figure") if not one.words)))

    def rebuilt(self) -> list[str]:
        """What is made from a bundle."""
        return [*self.drawn_again(), *(f"<study>/{name}" for name in PAGES)]

    def of_the_repository(self) -> list[str]:
        """Files of the repository that the rules `AGAIN` read."""
        read = list(chain(*(self.read_by(one) for one in self.own("table", "figure") if not one.words)))
        pages = ["workflow/schemas/claims.schema.yaml", "workflow/report/page.html.j2", "resources/languages.tsv"]
        tables = ["resources/linguistic_distance.tsv", "resources/published/mlc.csv"]
        return sorted({CLAIMS, *pages, *tables, *(file for file in read if not file.startswith("<study>/"))})

    def sheets(self) -> dict[str, str]:
        """The sheets of the study: name in the bundle → file."""
        named, study = self.config["sheets"], self.study
        files = {f"{name}.tsv": named[name] for name in ("models", "variants", "benchmarks")}
        tables = {f"tables/{name}.yaml": f"{named['tables']}/{name}.yaml" for name in study.tables}
        launched = filter(None, (study.accelerate(variant.base) for variant in study.variants.values()))
        return files | tables | {f"accelerate/{Path(file).name}": file for file in dict.fromkeys(launched)}
