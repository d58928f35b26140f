# Code is part of what a result depends on: every rule with a script gets one more param, a digest of what runs in
# the script, in the modules of ours that it imports, and in the function that draws a table or figure. Comments,
# docstrings, formatting and touch change nothing. And what a job took is measured, unless it only waits for a warm
# worker.

for rule_ in snakemake_internals.work_rules(workflow):
    code = (
        align_code
        if snakemake_internals.step(rule_) == "align"
        else code_digest(rule_.script, function=rule_.params.get("function"))
    )
    snakemake_internals.set_param(rule_, "code", code)
    if not config["warm_workers"]:
        snakemake_internals.set_benchmark(workflow, rule_, f"results/{study.name}/benchmarks")
