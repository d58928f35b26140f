"""RefusEU, reproduced: models whose refusals were removed are taught to refuse again, in many languages.

rules/dataset.smk     seeds → prompts → labels → answers → preference pairs, test prompts
rules/training.smk    pairs → reference log-probabilities, once per base → adapters
rules/evaluation.smk  models × benchmarks → responses → verdicts, languages, knowledge, fluency
rules/audit.smk       pairs and responses → annotation sheets; returned sheets → rates, agreement
rules/measures.smk    verdicts and scores → measures with intervals, comparisons of runs
rules/artifacts.smk   measures → tables and figures, each declared in refuseu/artifacts/declared
rules/report.smk      claims of the papers, tested; the report
rules/plan.smk        what the study would still cost, what its journals hold; only when asked for
rules/publish.smk     models with their cards, a bundle of results; only when asked for
rules/assets.smk      what comes from outside, pinned
rules/miniature.smk   the miniature's own models (only in a study that asks for them)

All results go to results/<study>/<rule>/, logs to results/<study>/logs/<rule>/.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"


rule all:
    input:
        "<study>/report.html",
    localrule: True


include: "rules/assets.smk"
include: "rules/dataset.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/audit.smk"
include: "rules/measures.smk"
include: "rules/artifacts.smk"
include: "rules/report.smk"
include: "rules/plan.smk"
include: "rules/publish.smk"


if "miniature" in config:

    include: "rules/miniature.smk"


include: "rules/targets.smk"
include: "rules/provenance.smk"
