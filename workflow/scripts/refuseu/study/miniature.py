"""What the rules look up that make the miniature's own models."""

from pathlib import Path

from refuseu.study.benchmarks import Values, Wildcards
from refuseu.study.sheets import Codes
from refuseu.study.wiring import Wiring


class Miniature(Wiring):
    """The lookups of ``rules/miniature.smk``."""

    def corpus(self, languages: Codes) -> list[str]:
        """The bundled texts in these languages."""
        folder = Path(self.config["miniature"]["corpus"])
        texts = [file for part in ("languages", "global_mmlu") for file in sorted((folder / part).iterdir())]
        return [*map(str, sorted(folder.glob("*.tsv"))), *[str(file) for file in texts if file.stem in languages]]

    def benchmark_corpus(self, wildcards: Wildcards) -> list[str]:
        """The bundled texts that a benchmark is made from."""
        return self.corpus(self.study.benchmarks[wildcards["benchmark"]].languages)

    def training(self, wildcards: Wildcards) -> Values:
        """How a model is trained."""
        spec: Values = self.config["miniature"]["models"][wildcards["model"]]
        return spec

    def start(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Weights that a model starts from, whose tokenizer it has, and its own chat template."""
        spec = self.training(wildcards)
        start, brought = spec.get("start", ""), self.brought(wildcards)
        made = start in self.config["miniature"]["models"]
        weights = [f"<study>/train_model/{start}/model.safetensors"] if made else self.weights(start) if start else []
        return {
            "chat_template": [spec["chat_template"]] if "chat_template" in spec else [],
            "start": weights,
            "tokenizer": self.weights(brought) if brought else ["<study>/train_tokenizer/tokenizer.json"],
        }

    def first(self, wildcards: Wildcards) -> int:
        """Priority of a model's training: the dataset waits for these, and most of the study for the dataset."""
        dataset, models = self.config["dataset"], self.config["miniature"]["models"]
        guards = self.config["judging"]["guards"]
        writers = (dataset["generators"]["main"], dataset["chosen"], dataset["rejected"])
        wanted = {self.trained_here(self.study.models[row].repository) for row in (*writers, *guards)}
        while not wanted >= (
            more := {models[name]["start"] for name in wanted & set(models) if "start" in models[name]}
        ):
            wanted |= more
        return int(wildcards["model"] in wanted)

    def brought(self, wildcards: Wildcards) -> str:
        """The row of models.tsv whose weights a model's training began with, by way of others; empty if with none."""
        return self.study.began(wildcards["model"])

    def judges(self) -> list[str]:
        """Everything that judges: guards, adjudicator, fluency judge."""
        judging = self.config["judging"]
        return [*judging["guards"], judging["adjudicator"], self.config["fluency"]["judge"]]

    def judges_asking(self, wildcards: Wildcards, resources: object) -> list[Values]:
        """How each of them is asked; never compared, like `how`."""
        return [self.asking(self.study.models[judge], "judge") for judge in self.judges()]
