# Reads and checks the study, and names what all rules use: `wiring` has the lookups.

import json
import re
import sys
from datetime import datetime
from pathlib import Path

sys.path.append(str(Path(workflow.basedir) / "workflow/scripts"))

from refuseu.artifacts import sections
from refuseu.errors import UserError
from refuseu.evaluation.guards import not_covered
from refuseu.runner import preflight, snakemake_internals
from refuseu.runner.provenance import code_digest
from refuseu.study import selection
from refuseu.study.building import Building
from refuseu.study.study import Study
from refuseu.study.wiring import Wiring

# Key order and comments of the config are nobody's business downstream.
config.update(json.loads(json.dumps(config, sort_keys=True)))

try:
    study = Study(config, " + ".join(map(str, workflow.configfiles)))
except UserError as error:
    sys.exit(f"refuseu: {error}")

wiring, building = Wiring(study), Building(study)


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
    """Those of them with the consistency loss, and the languages of its pairs and of their translations."""
    return {
        m: [list(codes) for codes in study.route_ends(m)] for m in trained_of(artifact) if study.variants[m].consistent
    }


def outside(judges):
    """Languages of the study that each of these judges was not made for, by name."""
    return {judge: not_covered(study.models[judge].format, study.languages) for judge in judges}


def align_code(wildcards):
    """Code behind one run: an edit of the consistency loss trains only the runs with it again."""
    return code_digest("align.py", without=[] if study.variants[wildcards.model].consistent else ["training/mlc"])


def asked_now(wildcards):
    """The time, as a param: what depends on the state of the results is made anew in every run."""
    return datetime.now().isoformat(sep=" ", timespec="microseconds")


onstart:
    preflight.start(workflow, study)
