# Reads and checks the study; gives rules the few lookups they share.

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.append(str(Path(workflow.basedir) / "workflow/scripts"))

from refuseu import preflight, progress
from refuseu.errors import UserError
from refuseu.provenance import code_digest
from refuseu.study import Study

# Key order and comments of the config are nobody's business downstream.
config.update(json.loads(json.dumps(config, sort_keys=True)))

try:
    study = Study(config, " + ".join(map(str, workflow.configfiles)))
except UserError as error:
    sys.exit(f"refuseu: {error}")


pathvars:
    study=f"results/{study.name}",


wildcard_constraints:
    model="|".join(map(re.escape, [*study.evaluated, *study.models, *config.get("miniature", {}).get("models", {})])),
    base="|".join(map(re.escape, study.models)),
    judge="|".join(map(re.escape, study.models)),
    generator="|".join(map(re.escape, study.models)),
    benchmark="|".join(map(re.escape, study.benchmarks)),
    phase="pilot|main",
    side="chosen|rejected",


def weights(*models):
    """What must be on disk before these rows of models.tsv can answer."""
    files = []
    for model in models:
        row = study.models[model]
        if row.revision == "local":
            files.append(f"{row.repository}/model.safetensors")
        elif row.revision != "api":
            files.append(f"<study>/fetch_model/{model}.json")
    return files


def answering_weights(wildcards):
    """Weights and, for a variant, adapter of the model under evaluation."""
    adapter = [f"<study>/align/{wildcards.model}/adapter_model.safetensors"]
    return weights(study.answering(wildcards.model).model) + (adapter if wildcards.model in study.variants else [])


def row(name):
    """A row of models.tsv as a plain dict, without what cannot change an answer."""
    return {k: v for k, v in asdict(study.models[name]).items() if k not in ("note", "roles", "base")}


def answering_row(wildcards):
    """The row whose weights answer for the wildcard ``model``, and whether an adapter is on them."""
    return row(study.answering(wildcards.model).model) | {"adapter": wildcards.model in study.variants}


def gpus(step):
    """GPUs that a job of a step takes: those of the model that it asks."""

    def of(wildcards):
        return study.asked(step, wildcards).gpus

    return of


def api(step):
    """1 for a job whose model is behind an API: the profile bounds how many such jobs run at a time."""

    def of(wildcards):
        return int(study.asked(step, wildcards).backend == "openai")

    return of


def model_asset(wildcards):
    """Where a model comes from."""
    return {k: row(wildcards.model)[k] for k in ("repository", "revision")}


def benchmark_asset(wildcards):
    """Where a benchmark comes from."""
    benchmark = study.benchmarks[wildcards.benchmark]
    return {"repository": benchmark.repository, "revision": benchmark.revision}


def records_of(wildcards):
    """Record files of one model, by what they hold."""
    kinds = {
        "verdicts": ("adjudicate", ("harmful",)),
        "outcomes": ("outcomes", ("harmful", "benign", "fluency")),
        "fluency": ("judge_fluency", ("fluency",)),
        "knowledge": ("knowledge", ("knowledge",)),
    }
    return {
        name: [
            f"<study>/{step}/{wildcards.model}/{b}.jsonl" for m, b in study.evaluations(*kind) if m == wildcards.model
        ]
        for name, (step, kind) in kinds.items()
    }


def identifier_model():
    """The file that names the fastText model, if that is the identifier."""
    fasttext = config["language_identification"]["backend"] == "fasttext"
    return ["<study>/fetch_language_model/fasttext.json"] if fasttext else []


def dataset_half(half):
    """Train pairs or test prompts, built or released."""
    step = "split_pairs" if config["dataset"]["source"] == "build" else "load_dataset"
    return f"<study>/{step}/{half}.jsonl"


def released_rows():
    """Where the released rows are: the note of the fetched copy, or the files of a folder."""
    dataset = config["dataset"]
    if dataset["revision"] == "local":
        return sorted(map(str, Path(dataset["repository"]).rglob("*.parquet")))
    return "<study>/fetch_dataset/dataset.json"


def card_facts():
    """What the dataset card says about the making of the dataset."""
    dataset, identification = config["dataset"], config["language_identification"]
    uses = {
        "prompts": row(dataset["generators"]["main"]),
        "chosen answers": row(dataset["chosen"]),
        "rejected answers": row(dataset["rejected"]),
        **{f"guard {n}": row(name) for n, name in enumerate(config["judging"]["guards"], start=1)},
    }
    if identification["backend"] == "fasttext":
        uses["language identification"] = identification
    return {
        "study": study.name,
        "languages": list(study.languages),
        "models": {use: {k: model[k] for k in ("repository", "revision")} for use, model in uses.items()},
        "identification": identification["backend"],
        "translation": dataset["translation"]["backend"],
        **{k: dataset[k] for k in ("seed_language", "prompts_per_slot", "near_duplicates", "policies", "split")},
    }


def judge_row(wildcards):
    """The row of the wildcard ``judge``."""
    return row(wildcards.judge)


def judge_weights(wildcards):
    """What must be on disk before the wildcard ``judge`` can answer."""
    return weights(wildcards.judge)


def templates_of(*names):
    """Template files that these judges are asked with; Llama-Guard brings its own."""
    asked = {"polyguard": ["polyguard"], "classify": ["classify"], "rating": ["fluency", "correctness"]}
    return {t: config["templates"][t] for name in names for t in asked.get(study.models[name].format, [])}


def judge_templates(wildcards):
    """Templates of the wildcard ``judge``, by name."""
    return templates_of(wildcards.judge)


def judge_template_files(wildcards):
    """Files of the templates of the wildcard ``judge``."""
    return list(templates_of(wildcards.judge).values())


def generator_row(wildcards):
    """The row of the wildcard ``generator``."""
    return row(wildcards.generator)


def generator_weights(wildcards):
    """What must be on disk before the wildcard ``generator`` can answer."""
    return weights(wildcards.generator)


def prompts_wanted(wildcards):
    """How many prompts a phase asks for, and the seed they are drawn with."""
    dataset = config["dataset"]
    return {
        "per_slot": dataset["prompts_per_slot"],
        "per_category": dataset["prompts_per_category"],
        "total": dataset["pilot_n"] if wildcards.phase == "pilot" else None,
        "seed": dataset["seed"],
    }


def generated_prompts(wildcards):
    """Prompts of all generators of a phase."""
    generators = config["dataset"]["generators"]
    names = generators["pilot"] if wildcards.phase == "pilot" else [generators["main"]]
    return [f"<study>/generate_prompts/{wildcards.phase}/{name}.jsonl" for name in names]


def side_row(wildcards):
    """The row of the model that writes the wildcard ``side``."""
    return row(config["dataset"][wildcards.side])


def side_weights(wildcards):
    """What must be on disk before the wildcard ``side`` can be written."""
    return weights(config["dataset"][wildcards.side])


def variant_languages(wildcards):
    """Languages a variant trains on."""
    return list(study.variants[wildcards.model].languages)


def consistency_languages(wildcards):
    """Languages of the consistency loss of a variant."""
    recipe = study.recipes[study.variants[wildcards.model].recipe]
    return list(study.language_set(recipe["mlc"]["languages"], "mlc"))


def base_row(wildcards):
    """The row of the wildcard ``base``."""
    return row(wildcards.base)


def base_weights(wildcards):
    """What must be on disk before the wildcard ``base`` can answer."""
    return weights(wildcards.base)


def variant_base_row(wildcards):
    """The row of the base of a variant."""
    return row(study.variants[wildcards.model].base)


def reference_settings(wildcards):
    """What reference log-probabilities depend on beside the base."""
    return study.reference_settings(wildcards.base)


def training_run(wildcards):
    """Method, recipe and seed of a variant."""
    variant = study.variants[wildcards.model]
    return {"method": variant.method, "recipe": study.recipes[variant.recipe], "seed": variant.seed}


def training_inputs(wildcards):
    """Weights of the base; stored reference for DPO; translated prompts for the consistency loss."""
    variant = study.variants[wildcards.model]
    inputs = {"weights": weights(variant.base)}
    if variant.objective == "dpo":
        inputs["reference"] = f"<study>/reference/{variant.base}.parquet"
    if variant.consistent:
        inputs["translations"] = f"<study>/translate_prompts/{wildcards.model}.jsonl"
    return inputs


def benchmark_input(wildcards):
    """Where the data of a benchmark is."""
    benchmark = study.benchmarks[wildcards.benchmark]
    if benchmark.revision == "dataset":
        return dataset_half("test")
    if benchmark.revision == "local":
        made_here = benchmark.repository.startswith("results/")
        files = sorted(str(file) for file in Path(benchmark.repository).rglob("*") if file.is_file())
        return benchmark.repository if made_here else files
    return f"<study>/fetch_benchmark/{wildcards.benchmark}.json"


def benchmark_row(wildcards):
    """Source and languages of a benchmark."""
    benchmark = study.benchmarks[wildcards.benchmark]
    return {
        "source": benchmark.source,
        "name": benchmark.benchmark,
        "languages": list(benchmark.languages),
        "path": benchmark.repository if benchmark.revision == "local" else None,
    }


def answer_settings(wildcards):
    """How a benchmark is put to a model."""
    benchmark = study.benchmarks[wildcards.benchmark]
    return {"mode": benchmark.mode, "max_new_tokens": benchmark.max_new_tokens}


def returned_folder():
    """Where annotation sheets of this study are put when they come back."""
    return f"{config['audit']['returned']}/{study.name}"


def returned_sheets():
    """Annotation sheets that came back; hidden files are none."""
    files = (file for file in Path(returned_folder()).rglob("*") if file.is_file())
    return sorted(str(file) for file in files if not file.name.startswith("."))


def corpus_files():
    """The bundled texts of the miniature."""
    folder = Path(config["miniature"]["corpus"])
    return [str(file) for pattern in ("*.tsv", "languages/*", "global_mmlu/*") for file in sorted(folder.glob(pattern))]


def miniature_spec(wildcards):
    """How one of the miniature's models is trained."""
    return config["miniature"]["models"][wildcards.model]


def start_weights(wildcards):
    """Weights that one of the miniature's models starts from, and its own chat template."""
    spec = miniature_spec(wildcards)
    inputs = {"chat_template": [spec["chat_template"]] if "chat_template" in spec else []}
    inputs["start"] = [f"<study>/train_model/{spec['start']}/model.safetensors"] if "start" in spec else []
    return inputs


def judges():
    """Everything that judges: guards, adjudicator, fluency judge."""
    return [*config["judging"]["guards"], config["judging"]["adjudicator"], config["fluency"]["judge"]]


onstart:
    progress.hush()
    preflight.start(workflow, study)
