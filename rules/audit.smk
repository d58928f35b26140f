# The manual audit: sheets for annotators, and what they returned. Nothing here runs unless asked for or returned.


rule audit_sheet:
    """Annotation sheets for the manual audit, a form and a CSV per language; not made by default."""
    input:
        train=wiring.dataset_half("train"),
        test=wiring.dataset_half("test"),
        seeds=[rules.translate_seeds.output[0]] if config["dataset"]["source"] == "build" else [],
        responses=[f"<study>/generate/{m}/{b}.jsonl" for m, b in study.audited],
        template="workflow/templates/audit_sheet.html.j2",
    output:
        csv=collect("<study>/audit_sheet/{language}.csv", language=study.built),
        html=collect("<study>/audit_sheet/{language}.html", language=study.built),
        key="<study>/audit_sheet/key.jsonl",
    log:
        "<study>/logs/audit_sheet/audit_sheet.log",
    conda:
        "../envs/analysis.yaml"
    params:
        study=config["study"],
        languages=list(study.built),
        per_language=config["audit"]["per_language"],
        seed=config["audit"]["seed"],
    script:
        "../workflow/scripts/audit_sheet.py"


rule audit:
    """Answers, rates and human verdicts of returned annotation sheets; stops where none was returned."""
    input:
        key=rules.audit_sheet.output.key,
        returned=wiring.returned_sheets() or wiring.returned_folder(),
    output:
        answers="<study>/audit/answers.csv",
        audit="<study>/audit/audit.csv",
        verdicts="<study>/audit/verdicts.jsonl",
    log:
        "<study>/logs/audit/audit.log",
    conda:
        "../envs/analysis.yaml"
    params:
        study=config["study"],
        languages=config["languages"],
        statistics=config["statistics"],
    script:
        "../workflow/scripts/audit.py"
