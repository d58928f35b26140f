# Code is part of what a result depends on: every rule with a script gets one more param, a digest of
# the script and of the modules of ours that it imports. Comments, formatting and touch change nothing.

for rule_ in workflow.rules:
    if rule_.script:
        rule_.set_params(code=align_code if rule_.name == "align" else code_digest(rule_.script))
