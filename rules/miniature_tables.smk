# What only the miniature can show: how good its judges are.


rule judge_accuracy_table:
    input:
        accuracy="<study>/judge_accuracy/judge_accuracy.csv",
    output:
        multiext("<study>/tables/judge_accuracy", md=".md", tex=".tex"),
        csv=report("<study>/tables/judge_accuracy.csv", **in_report("judge_accuracy_table")),
    log:
        "<study>/logs/judge_accuracy_table/judge_accuracy_table.log",
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        languages=config["languages"],
    script:
        "../workflow/scripts/judge_accuracy_table.py"
