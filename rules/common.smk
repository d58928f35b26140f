# Reads and checks the study; gives rules the few lookups they share.

import json
import re
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

sys.path.append(str(Path(workflow.basedir) / "workflow/scripts"))

from refuseu.artifacts import sections
from refuseu.errors import UserError
from refuseu.evaluation.guards import TEMPLATES, not_covered
from refuseu.job import progress
from refuseu.languages import language
from refuseu.runner import preflight
from refuseu.runner.provenance import code_digest
from refuseu.study import selection
from refuseu.study.study import Study

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
    route="|".join(map(re.escape, study.routes)),
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
    return {k: v for k, v in asdict(study.models[name]).items() if k not in ("note", "roles", "base", "gpus")}


def answering_row(wildcards):
    """The row whose weights answer for the wildcard ``model``, and whether an adapter is on them."""
    return row(study.answering(wildcards.model).model) | {"adapter": wildcards.model in study.variants}


def generating_row(wildcards):
    """The same, and how vllm gets the adapter."""
    found = answering_row(wildcards)
    adapters = {"adapters": config["generation"]["adapters"]}
    return found | adapters if found["adapter"] and found["backend"] == "vllm" else found


# What changes how fast a job is and not what it finds. Snakemake never compares params that may depend on resources, so
# that nothing runs again for these.


def how(step):
    """GPUs and batches of a job, and how a server is asked."""

    def of(wildcards, resources):
        asked = study.asked(step, wildcards)
        batch_size = config["knowledge" if step == "knowledge" else "generation"]["batch_size"]
        served = config["api"] | {"batch": asked.model in config["api"]["batch"]} if asked.backend == "openai" else {}
        return {"gpus": asked.gpus, "batch_size": batch_size, **served}

    return of


def launched(step):
    """How a training is launched on the GPUs of its base."""

    def of(wildcards, resources):
        return {"accelerate": study.accelerate(study.asked(step, wildcards).model)}

    return of


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


def answers_of(wildcards):
    """Record files of one model on one benchmark, by the step that made them; what tells kinds of answers apart."""
    steps = {
        "harmful": ("generate", "adjudicate"),
        "benign": ("generate",),
        "fluency": ("generate", "judge_fluency"),
        "knowledge": ("knowledge",),
    }[study.benchmarks[wildcards.benchmark].kind]
    files = {step: f"<study>/{step}/{wildcards.model}/{wildcards.benchmark}.jsonl" for step in steps}
    if "generate" in files:
        files |= {"markers": config["outcomes"]["refusal_markers"], "identifier": identifier_model()}
    return files


def prompts_are_translations(wildcards):
    """Whether a benchmark puts the same prompts in every language."""
    return study.benchmarks[wildcards.benchmark].parallel == "yes"


def compared_models(wildcards):
    """Labels of the runs of a base on a benchmark that are compared with others."""
    return selection.compared(study, wildcards.base, wildcards.benchmark)


def compared_answers(wildcards):
    """What is known of the answers of those runs."""
    return [f"<study>/measure/{m}/{wildcards.benchmark}.jsonl" for m in compared_models(wildcards)]


def measures(artifact):
    """Measures that a table or figure shows."""
    return [f"<study>/measure/{m}/{b}.csv" for m, b in selection.evaluations(study, artifact)]


def comparisons(artifact):
    """Comparisons that a table or figure shows."""
    return [f"<study>/compare/{base}/{b}.csv" for base, b in selection.comparisons(study, artifact)]


def in_report(artifact):
    """Where Snakemake's own report shows a table or figure, and under which title."""
    return sections.labelled(artifact, Path(workflow.basedir) / "workflow/report")


def models_of(artifact):
    """Labels of the models that a table or figure shows."""
    return dict(selection.models(study, artifact))


def trained_of(artifact):
    """The trained among the models that a table or figure shows."""
    return [model for model in models_of(artifact) if model in study.variants]


def translated_of(artifact):
    """Those of them with the consistency loss, and the languages of its prompts."""
    return {m: list(study.route_ends(m)[1]) for m in trained_of(artifact) if study.variants[m].consistent}


def outside(judges):
    """Languages of the study that each of these judges was not made for, by name."""
    return {judge: not_covered(study.models[judge].format, study.languages) for judge in judges}


def foreign_prompts():
    """Benchmarks whose prompts nobody's identifier has filtered."""
    return [b.benchmark for b in study.benchmarks.values() if b.revision != "dataset" and b.kind != "knowledge"]


def identifier_model():
    """The file that names the fastText model, if that is the identifier."""
    fasttext = config["language_identification"]["backend"] == "fasttext"
    return ["<study>/fetch_language_model/fasttext.json"] if fasttext else []


# A corrected code of resources/languages.tsv reruns what was made with it.


def fasttext_labels(codes):
    """fastText's labels of these languages, if that is the identifier."""
    fasttext = config["language_identification"]["backend"] == "fasttext"
    return {code: language(code).fasttext for code in codes if fasttext}


def deepl_codes(codes):
    """DeepL's codes of these languages as source and target, if that translates."""
    deepl = config["dataset"]["translation"]["backend"] == "deepl"
    return {code: [language(code).deepl_source, language(code).deepl_target] for code in codes if deepl}


def route_codes(wildcards):
    """The same of the languages at both ends of the wildcard ``route``."""
    return deepl_codes(sorted({code for end in study.routes[wildcards.route] for code in end}))


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
        "languages": list(study.built),
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
    """Template files that these judges are asked with."""
    wanted = {template for name in names for template in TEMPLATES.get(study.models[name].format, ())}
    return {template: config["templates"][template] for template in sorted(wanted)}


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


def base_row(wildcards):
    """The row of the wildcard ``base``."""
    return row(wildcards.base)


def variant_base_row(wildcards):
    """The row of the base of a variant."""
    return row(study.variants[wildcards.model].base)


def base_weights(wildcards):
    """What must be on disk before the wildcard ``base`` can be read."""
    return weights(wildcards.base)


def reference_settings(wildcards):
    """What reference log-probabilities depend on beside the base."""
    return study.reference_settings(wildcards.base)


def training_run(wildcards):
    """Method, recipe and seed of a variant."""
    variant = study.variants[wildcards.model]
    return {"method": variant.method, "recipe": study.recipes[variant.recipe], "seed": variant.seed}


def align_code(wildcards):
    """Code behind one run: an edit of the consistency loss trains only the runs with it again."""
    return code_digest("align.py", without=[] if study.variants[wildcards.model].consistent else ["training/mlc"])


def training_inputs(wildcards):
    """Weights of the base; stored reference for DPO; translated prompts for the consistency loss."""
    variant = study.variants[wildcards.model]
    inputs = {"weights": weights(variant.base)}
    if variant.objective == "dpo":
        inputs["reference"] = f"<study>/reference/{variant.base}.parquet"
    if variant.consistent:
        inputs["translations"] = f"<study>/translate_prompts/{study.route(wildcards.model)}.jsonl"
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


def corpus_files(languages):
    """The bundled texts of the miniature in these languages."""
    folder = Path(config["miniature"]["corpus"])
    texts = [file for part in ("languages", "global_mmlu") for file in sorted((folder / part).iterdir())]
    return [*map(str, sorted(folder.glob("*.tsv"))), *[str(file) for file in texts if file.stem in languages]]


def benchmark_corpus(wildcards):
    """The bundled texts that a benchmark of the miniature is made from."""
    return corpus_files(study.benchmarks[wildcards.benchmark].languages)


def miniature_spec(wildcards):
    """How one of the miniature's models is trained."""
    return config["miniature"]["models"][wildcards.model]


def start_weights(wildcards):
    """Weights that one of the miniature's models starts from, and its own chat template."""
    spec = miniature_spec(wildcards)
    inputs = {"chat_template": [spec["chat_template"]] if "chat_template" in spec else []}
    inputs["start"] = [f"<study>/train_model/{spec['start']}/model.safetensors"] if "start" in spec else []
    return inputs


def asked_now(wildcards):
    """The time, as a param: what depends on the state of the results is made anew in every run."""
    return datetime.now().isoformat(sep=" ", timespec="microseconds")


def judges():
    """Everything that judges: guards, adjudicator, fluency judge."""
    return [*config["judging"]["guards"], config["judging"]["adjudicator"], config["fluency"]["judge"]]


onstart:
    progress.hush()
    progress.unthrottle(workflow.scheduler)
    preflight.start(workflow, study)
