# What leaves the study: models with their cards, ready for a hub, and a bundle from which its tables and figures are
# made anew (make rebuild). Only when asked for.

from refuseu.study.publishing import Publishing

publishing = Publishing(study)


rule merge_model:
    input:
        weights=wiring.asked_weights("generate"),
    output:
        directory("<study>/merge_model/{model}"),
    log:
        "<study>/logs/merge_model/{model}.log",
    wildcard_constraints:
        model=one_of(model for model in study.variants if model not in study.trained_fully),
    conda:
        "../envs/inference.yaml"
    params:
        base=wiring.asked_row("align"),
    script:
        "../workflow/scripts/merge_model.py"


rule export_model:
    input:
        unpack(publishing.card_measures),
        weights=publishing.whole_weights,
        manifest="<study>/align/{model}/manifest.json",
        template="workflow/report/model_card.md.j2",
        licences="resources/model_licences.tsv",
        terms="resources/licence_terms.tsv",
    output:
        card="<study>/export_model/{model}/README.md",
    log:
        "<study>/logs/export_model/{model}.log",
    wildcard_constraints:
        model=one_of(study.variants),
    localrule: True
    conda:
        "../envs/dataset.yaml"
    params:
        facts=publishing.model_facts,
    script:
        "../workflow/scripts/export_model.py"


# The same before anything was measured, which its card says.
use rule export_model as export_model_unmeasured with:
    input:
        weights=publishing.whole_weights,
        manifest="<study>/align/{model}/manifest.json",
        template="workflow/report/model_card.md.j2",
        licences="resources/model_licences.tsv",
        terms="resources/licence_terms.tsv",
    output:
        card="<study>/export_model_unmeasured/{model}/README.md",
    log:
        "<study>/logs/export_model_unmeasured/{model}.log",


rule bundle:
    """All numbers, without texts, in one checksummed archive, from which make rebuild makes tables, figures, claims and report; not made by default."""
    input:
        carried=publishing.carried(),
        rebuilt=publishing.rebuilt(),
        sheets=list(publishing.sheets().values()),
        repository=publishing.of_the_repository(),
    output:
        bundle=f"<study>/bundle/{study.name}.tar.gz",
        sha256=f"<study>/bundle/{study.name}.tar.gz.sha256",
    log:
        "<study>/logs/bundle/bundle.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        config=config,  # the whole: it goes into the bundle
        sheets=list(publishing.sheets()),
        recipes=study.recipes,
        returned=bool(wiring.returned_sheets()),
        reveal=publishing.reveal,
    script:
        "../workflow/scripts/bundle.py"
