"""Before the first job: can the models whose files are here be spoken to?"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from refuseu.chat_template import has_template, missing
from refuseu.runner import snakemake_internals
from refuseu.study.rows import Model
from refuseu.study.study import Study

# Steps whose models are put conversations; `wildguard` and continuations are raw text.
CHATS = (
    "generate_prompts", "answer_prompts", "label_prompts", "label_answers", "generate", "judge", "adjudicate",
    "judge_fluency", "reference", "align", "align_fully",
)  # fmt: skip
RAW = ("wildguard",)


def check_chat_templates(jobs: Iterable[Any], study: Study) -> None:
    """Stop if a job puts conversations to a model whose files are here and have no chat template.

    Raises
    ------
    UserError
        Naming the model and the cure.
    """
    asked = {model.model: model for job in jobs if (model := spoken_to(job, study))}
    for name, model in asked.items():
        folder = folder_here(model)
        if folder and not has_template(folder):
            raise missing(f"model {name!r} of {study.config['sheets']['models']}")


def spoken_to(job: Any, study: Study) -> Model | None:
    """The model that a job puts conversations to, if it does and the model is not behind an API."""
    step = snakemake_internals.step(job.rule)
    if step not in CHATS or (step == "generate" and study.benchmarks[job.wildcards.benchmark].mode != "chat"):
        return None
    model = study.asked(step, job.wildcards)
    return None if model.format in RAW or model.revision == "api" else model


def folder_here(model: Model) -> Path | None:
    """The folder of a model on this machine; none if it is still to be fetched or made."""
    if model.prepared or model.repository.startswith("results/"):
        return None  # rule prepare_model says the same before anything else is done
    if model.revision == "local":
        folder = Path(model.repository)
    else:
        home = os.environ.get("HF_HOME") or Path(
            os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "huggingface"
        )
        cache = Path(os.environ.get("HF_HUB_CACHE") or Path(home, "hub"))
        folder = cache / f"models--{model.repository.replace('/', '--')}" / "snapshots" / model.revision
    return folder if (folder / "tokenizer_config.json").is_file() else None
