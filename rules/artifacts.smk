# Tables and figures: a rule for each row of refuseu/artifacts/declared, named as its target.

for artifact in artifacts.ruled("table"):

    rule:
        name:
            artifact.target
        input:
            **artifacts.inputs(artifact),
        output:
            multiext(f"<study>/tables/{artifact.file}", md=".md", tex=".tex"),
            **artifacts.frame(artifact),
            csv=report(f"<study>/tables/{artifact.file}.csv", **artifacts.in_report(artifact.target)),
            json=f"<study>/{artifact.target}/page.json",
        log:
            f"<study>/logs/{artifact.target}/{artifact.target}.log",
        localrule: not artifact.heavy
        conda:
            "../envs/analysis.yaml"
        params:
            function=artifact.function,
            arguments=artifacts.arguments(artifact),
            caption=artifacts.caption(artifact.target),
        script:
            "../workflow/scripts/table.py"


for artifact in artifacts.ruled("figure"):

    rule:
        name:
            artifact.target
        input:
            **artifacts.inputs(artifact),
        output:
            multiext(f"<study>/figures/{artifact.file}", pdf=".pdf", svg=".svg", csv=".csv"),
            png=report(f"<study>/figures/{artifact.file}.png", **artifacts.in_report(artifact.target)),
        log:
            f"<study>/logs/{artifact.target}/{artifact.target}.log",
        localrule: not artifact.heavy
        conda:
            "../envs/analysis.yaml"
        params:
            function=artifact.function,
            arguments=artifacts.arguments(artifact),
            style=artifacts.style(),
            columns=artifact.columns,
            caption=artifacts.caption(artifact.target),
        script:
            "../workflow/scripts/figure.py"
