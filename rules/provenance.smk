# Code is part of what a result depends on: every rule with a script gets one more param, a digest of what runs in
# the script and in the modules of ours that it imports. Comments, docstrings, formatting and touch change nothing.

for rule_ in workflow.rules:
    if rule_.script:
        rule_.set_params(code=align_code if rule_.name == "align" else code_digest(rule_.script))
