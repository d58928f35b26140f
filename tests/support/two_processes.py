"""Trainings of a tiny model as one or two processes do them; what `accelerate launch` calls must be in a module."""

import shutil
from functools import wraps

import accelerate
import torch

from refuseu.recipes import scored
from refuseu.training.alignment import NONE, align
from refuseu.training.reference import reference
from support.runs import PAIRS, RECIPE, SETTINGS, TRANSLATIONS, recipe, run

TWO = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 2, "num_train_epochs": 1}
SCORED = {"eval_strategy": "steps", "eval_steps": 3, "per_device_eval_batch_size": 1}
RUNS = {
    "dpo": run("dpo", recipe(**TWO)),
    "dpo+mlc": run("dpo+mlc", recipe(**TWO) | {"mlc": RECIPE["mlc"] | {"every": 2}}),
    "sft+mlc": run("sft+mlc", recipe(**TWO) | {"mlc": RECIPE["mlc"] | {"layer": 1}}),
    "full": run("dpo", recipe(**TWO) | {"lora": None}),
    "full+mlc": run("dpo+mlc", recipe(**TWO, **SCORED) | {"lora": None, "mlc": RECIPE["mlc"] | {"every": 2}}),
    "orpo+mlc": run("orpo+mlc", recipe(**TWO) | {"mlc": RECIPE["mlc"] | {"extractor": "frozen"}}),
}


def several(runs, base, stored, folder):
    """The reference of seven pairs, and several trainings, in the same processes."""
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    values = reference(PAIRS[:7], base, SETTINGS, folder / "j.jsonl", folder / "scratch")
    facts = {}
    for name, chosen in runs.items():
        places = [folder / f"{name}{end}" for end in ("-checkpoints", "", "-events")]
        held_out = (PAIRS[:4], stored) if scored(chosen["recipe"]) else NONE
        facts[name] = align(PAIRS, base, chosen, stored, TRANSLATIONS, *places, held_out)
    # Once more from the checkpoint before the last.
    with accelerate.PartialState().main_process_first():
        for last in folder.glob("dpo+mlc-checkpoints/*/checkpoint-6"):
            shutil.rmtree(last)
    places = [folder / f"{name}" for name in ("dpo+mlc-checkpoints", "resumed", "resumed-events")]
    facts["resumed"] = align(PAIRS, base, runs["dpo+mlc"], stored, TRANSLATIONS, *places)
    return values, facts


def sharded(function):
    """The same under FSDP, which accelerate has for no CPU: there it takes the processes for those of GPUs."""

    @wraps(function)
    def called(*arguments):
        accelerate.PartialState._prepare_backend = lambda self, *_, **__: ("gloo", accelerate.DistributedType.MULTI_GPU)
        torch.distributed.init_process_group("gloo")
        accelerate.PartialState.set_device = lambda self: setattr(self, "device", torch.device("cpu"))
        found = function(*arguments)
        assert accelerate.Accelerator().distributed_type == accelerate.DistributedType.FSDP
        return found

    return called


@sharded
def several_sharded(*arguments):
    return several(*arguments)


@sharded
def reference_sharded(*arguments):
    return reference(*arguments)
