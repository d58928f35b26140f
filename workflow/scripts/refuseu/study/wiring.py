"""What rules look up: whom a job asks, what it reads, and the settings that decide its result.

Rules name files with ``<study>``, which Snakemake replaces by the study's folder of results.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from refuseu.evaluation.guards import TEMPLATES
from refuseu.languages import language
from refuseu.recipes import scored
from refuseu.study.benchmarks import Values, Wildcards
from refuseu.study.intake import IntakeLookups
from refuseu.study.rows import Model

# Columns of models.tsv that cannot change an answer.
ASIDE = ("note", "roles", "base", "gpus", "training_gpus", "chat_template", "vocabulary", "stands_for")
# Steps in which a model under evaluation answers, and a variant's adapter with it.
ANSWERING = ("generate", "knowledge")
# Kind of a benchmark → steps whose records say how a model did on it.
MEASURED = {
    "harmful": ("generate", "adjudicate"),
    "benign": ("generate",),
    "fluency": ("generate", "judge_fluency"),
    "knowledge": ("knowledge",),
}


class Wiring(IntakeLookups):
    """The lookups of a study; those with a `step` return a function of a job's wildcards."""

    @property
    def command(self) -> str:
        """What a user types for this study, by the profile that has its name, or that of the study it is made from."""
        own, like = self.study.name, "miniature" if "miniature" in self.study.config else "slurm"
        return f"snakemake --profile {own if Path('profiles', own).is_dir() else like}"

    # Whom a job asks

    def row(self, name: str) -> Values:
        """A row of models.tsv, without what cannot change an answer."""
        model = self.study.models[name]
        row = {k: v for k, v in asdict(model).items() if k not in (*ASIDE, "parameters")}
        if model.prepared:
            row |= {"repository": f"results/{self.study.name}/prepare_model/{name}", "revision": "local"}
        return row | ({"parameters": model.request_parameters} if model.parameters else {})

    def weights(self, *names: str) -> list[str]:
        """What must be on disk before these rows of models.tsv can answer."""
        files = []
        for name in names:
            row = self.study.models[name]
            if row.prepared:
                files.append(f"<study>/prepare_model/{name}/card.json")
            elif row.revision == "local":
                files.append(f"{row.repository}/model.safetensors")
            elif row.revision != "api":
                files.append(f"<study>/fetch_model/{name}.json")
        return files

    def templates(self, *names: str) -> dict[str, str]:
        """Files of the templates that these judges are asked with, by name; their publishers' own where these are."""
        wanted = {template for name in names for template in TEMPLATES.get(self.study.models[name].format, ())}
        return {template: self.study.template_files[template] for template in sorted(wanted)}

    def asked_row(self, step: str) -> Callable[[Wildcards], Values]:
        """The row of the model that a job asks; of a model under evaluation also whether an adapter is on it."""

        def of(wildcards: Wildcards) -> Values:
            row = self.row(self.study.asked(step, wildcards).model)
            if step not in ANSWERING:
                return row
            if wildcards["model"] in self.study.trained_fully:
                folder = self.trained(wildcards["model"]).replace("<study>", f"results/{self.study.name}")
                return row | {"repository": folder, "revision": "local", "adapter": False}
            row["adapter"] = wildcards["model"] in self.study.variants
            merged = {"adapters": self.config["generation"]["adapters"]}  # how vllm gets it
            return row | merged if step == "generate" and row["adapter"] and row["backend"] == "vllm" else row

        return of

    def sees(self, wildcards: Wildcards) -> str:
        """What a judge is shown of an answer: the adjudicator as much as where it decides."""
        judging = self.config["judging"]
        decides = wildcards["judge"] == judging["adjudicator"]
        return str(judging["adjudicator_sees"] if decides else "prompt_and_response")

    def asked_weights(self, step: str) -> Callable[[Wildcards], list[str]]:
        """What must be on disk before the model that a job asks can answer."""

        def of(wildcards: Wildcards) -> list[str]:
            if step in ANSWERING and wildcards["model"] in self.study.trained_fully:
                return [self.trained(wildcards["model"])]
            weights = self.weights(self.study.asked(step, wildcards).model)
            if step in ANSWERING and wildcards["model"] in self.study.variants:
                weights.append(self.trained(wildcards["model"]))
            return weights

        return of

    def trained(self, model: str) -> str:
        """What the training of a variant leaves: an adapter, or a folder with a whole model."""
        whole = model in self.study.trained_fully
        return f"<study>/align/{model}/" + ("weights" if whole else "adapter_model.safetensors")

    def asked_templates(self, step: str) -> Callable[[Wildcards], dict[str, str]]:
        """Files of the templates of the judge that a job asks, by name."""
        return lambda wildcards: self.templates(self.study.asked(step, wildcards).model)

    def asked_template_files(self, step: str) -> Callable[[Wildcards], list[str]]:
        """The same files, as inputs."""
        return lambda wildcards: list(self.asked_templates(step)(wildcards).values())

    # What changes how fast a job is and not what it finds. Snakemake never compares params that may depend on
    # resources, so that nothing runs again for these.

    def how(self, step: str) -> Callable[[Wildcards, object], Values]:
        """How the model that a job asks is asked."""
        return lambda wildcards, resources: self.asking(self.study.asked(step, wildcards), step)

    def asking(self, model: Model, step: str) -> Values:
        """GPUs and batches of a model in a step, and how a server is asked or an engine started."""
        batch_size = self.config["knowledge" if step == "knowledge" else "generation"]["batch_size"]
        api = self.config["api"]
        served = api | {"batch": model.model in api["batch"]} if model.backend == "openai" else {}
        engine = self.config["engine"] if model.backend == "vllm" and step != "knowledge" else {}
        return {"gpus": model.gpus, "batch_size": batch_size, **served, **engine}

    def launched(self, step: str) -> Callable[[Wildcards, object], Values]:
        """How a training is launched on the GPUs of its base."""

        def of(wildcards: Wildcards, resources: object) -> Values:
            return {"accelerate": self.study.accelerate(self.study.asked(step, wildcards).model)}

        return of

    def gpus(self, step: str) -> Callable[[Wildcards], int]:
        """GPUs that a job takes: those of the model that it asks."""
        return lambda wildcards: self.study.asked(step, wildcards).gpus_for(step)

    def api(self, step: str) -> Callable[[Wildcards], int]:
        """1 for a job whose model is behind an API: the profile bounds how many such jobs run at a time."""
        return lambda wildcards: int(self.study.asked(step, wildcards).backend == "openai")

    # What is read

    def asset(self, wildcards: Wildcards) -> Values:
        """Where a model or a benchmark comes from."""
        row = (
            self.study.models[wildcards["model"]]
            if "model" in wildcards.keys()
            else self.study.benchmarks[wildcards["benchmark"]]
        )
        return {"repository": row.repository, "revision": row.revision}

    def identifier(self) -> list[str]:
        """The file that names the fastText model, if that identifies languages."""
        fasttext = self.config["language_identification"]["backend"] == "fasttext"
        return ["<study>/fetch_language_model/fasttext.json"] if fasttext else []

    def fasttext_labels(self, codes: tuple[str, ...]) -> dict[str, str]:
        """fastText's labels of these languages, if that identifies them: a corrected label reruns what it made."""
        fasttext = self.config["language_identification"]["backend"] == "fasttext"
        return {code: language(code).fasttext for code in codes if fasttext}

    def training_inputs(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """Weights of the base; stored reference (DPO); translations (consistency loss); pairs scored on the way."""
        variant = self.study.variants[wildcards["model"]]
        inputs: dict[str, str | list[str]] = {"weights": self.weights(variant.base)}
        if variant.objective == "dpo":
            inputs["reference"] = f"<study>/reference/{variant.base}.parquet"
        if variant.consistent:
            inputs["translations"] = f"<study>/translate_prompts/{self.study.route(wildcards['model'])}.jsonl"
        if scored(self.study.recipes[variant.recipe]):
            inputs["held_out"] = self.dataset_half("test")
            if variant.objective == "dpo":
                inputs["held_out_reference"] = f"<study>/reference_held_out/{variant.base}.parquet"
        return inputs

    def answers(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """Records of one model on one benchmark, by the step that made them; what tells kinds of answers apart."""
        model, benchmark = wildcards["model"], wildcards["benchmark"]
        steps = MEASURED[self.study.benchmarks[benchmark].kind]
        files: dict[str, str | list[str]] = {step: f"<study>/{step}/{model}/{benchmark}.jsonl" for step in steps}
        if guard := self.study.states_refusals(self.study.benchmarks[benchmark].kind):
            files["judge"] = f"<study>/judge/{guard}/{model}/{benchmark}.jsonl"
        if "generate" in files:
            files |= {"markers": self.config["outcomes"]["refusal_markers"], "identifier": self.identifier()}
        return files

    # Settings

    def training_languages(self, wildcards: Wildcards) -> list[str]:
        """Languages that a variant trains on."""
        return list(self.study.variants[wildcards["model"]].languages)

    def training_as_many_as(self, wildcards: Wildcards) -> list[str]:
        """Languages whose number of pairs a variant takes of its own; none if it takes all."""
        return self.study.as_many_as(wildcards["model"])

    def training_run(self, wildcards: Wildcards) -> Values:
        """Method, recipe and seed of a variant."""
        variant = self.study.variants[wildcards["model"]]
        return {"method": variant.method, "recipe": self.study.recipes[variant.recipe], "seed": variant.seed}

    def reference_settings(self, wildcards: Wildcards) -> Values:
        """What reference log-probabilities depend on beside the base."""
        return self.study.reference_settings(wildcards["base"])

    def bundled(self) -> list[str]:
        """The bundled texts in the languages of the study, where there are any."""
        files = (Path(f"resources/miniature/languages/{code}.yaml") for code in self.study.languages)
        return [str(file) for file in files if file.is_file()]

    def returned_folder(self) -> str:
        """Where annotation sheets of this study are put when they come back."""
        return f"{self.config['audit']['returned']}/{self.study.name}"

    def returned_sheets(self) -> list[str]:
        """Annotation sheets that came back; hidden files are none."""
        files = (file for file in Path(self.returned_folder()).rglob("*") if file.is_file())
        return sorted(str(file) for file in files if not file.name.startswith("."))
