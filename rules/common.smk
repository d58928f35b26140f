# Reads and checks the study, and names what all rules use: `wiring` has the lookups.

import json
import re
import sys
from datetime import datetime
from functools import partial
from pathlib import Path

# Of this repository, whichever workflow includes it or has it as a module.
HOME = Path(str(workflow.current_basedir)).resolve().parent
if not (HOME / "workflow/scripts").is_dir():
    sys.exit(
        "refuseu: a module of this workflow needs a clone of it, since scripts import what lies beside them; "
        "name the clone's Snakefile as the module's snakefile"
    )
sys.path.append(str(HOME / "workflow/scripts"))

from snakemake.utils import update_config

from refuseu.artifacts.declared import NAMED
from refuseu.errors import UserError
from refuseu.runner import home, locked, preflight, snakemake_internals, terminal
from refuseu.runner.provenance import code_digest
from refuseu.study.artifact_rules import ArtifactRules
from refuseu.study.building import Building
from refuseu.study.starts import Starts
from refuseu.study.study import Study
from refuseu.study.wiring import Wiring
from refuseu.wording import pins

update_config(config, snakemake_internals.told(workflow))
# Key order and comments of the config are nobody's business downstream.
config.update(json.loads(json.dumps(config, sort_keys=True)))

try:
    home.check(HOME)
    study = Study(config, " + ".join(map(str, workflow.configfiles)))
except UserError as error:
    sys.exit(f"refuseu: {error}")

wiring, building, artifacts = Wiring(study), Building(study), ArtifactRules(study)
starts = Starts(study)


pathvars:
    study=f"results/{study.name}",


wildcard_constraints:
    model="|".join(map(re.escape, [*study.evaluated, *study.models, *config.get("miniature", {}).get("models", {})])),
    base="|".join(map(re.escape, study.models)),
    judge="|".join(map(re.escape, study.models)),
    generator="|".join(map(re.escape, study.models)),
    benchmark="|".join(map(re.escape, study.benchmarks)),
    run="|".join(map(re.escape, dict.fromkeys(f"{v.base}-{v.variant}" for v in study.variants.values()))),
    route="|".join(map(re.escape, study.routes)),
    phase="|".join(dict.fromkeys(["pilot", *study.phases])),
    side="chosen|rejected",
    template="|".join(pins()),


def one_of(names):
    """A pattern of these names; of none, one that matches nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


def align_code(wildcards):
    """Code behind one run: an edit of the consistency loss trains only the runs with it again."""
    return code_digest("align.py", without=[] if study.variants[wildcards.model].consistent else ["training/mlc"])


def together(step):
    """The group of a job: those that a cluster gets as one, because their model is loaded once for all of them.

    A dry run lists all jobs by themselves.
    """

    def of(wildcards):
        start = None if workflow.dryrun else starts.of(step, wildcards)
        return start and snakemake_internals.one_after_another(workflow, start)

    return of


def ahead(step, **differing):
    """Other jobs of this run for whom a job asks its model once it is loaded; Snakemake never compares such a param.

    A function of resources, as all that only makes a job faster. The params in which such jobs differ are told by name.
    """

    def of(wildcards, resources):
        if not starts.of(step, wildcards):
            return []
        known = (snakemake_internals.others_to_run, snakemake_internals.sent_together)
        jobs = [job for others in known for job in others(workflow, step, wildcards)]
        jobs = [job for job in jobs if starts.alike(step, wildcards, job.wildcards)]
        return [starts.seen(job, {name: tell(job.wildcards) for name, tell in differing.items()}) for job in jobs]

    return of


def asked_now(wildcards):
    """The time, as a param: what depends on the state of the results is made anew in every run."""
    return datetime.now().isoformat(sep=" ", timespec="microseconds")


locked.explain()
terminal.take(workflow)
snakemake_internals.drop_stray_warnings()


onstart:
    preflight.start(workflow, study)


snakemake_internals.start_module(workflow, partial(preflight.start, workflow, study))
