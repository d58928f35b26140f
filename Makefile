# Two commands do all the set-up on a fresh machine: `make miniature` and `make test`.

PYTHON ?= python3
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# A test or a study must not depend on what else is installed on this machine.
export PYTHONNOUSERSITE := 1
# Two processes, each with whole files, the longest first.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: miniature test test-all mutation bench lint format schemas lock clean

miniature: $(VENV)/ready
	@$(RUN) snakemake --profile miniature --quiet rules host
	@echo
	@echo "Done. The report:   results/miniature/report.html"
	@echo "Tables and figures: results/miniature/tables/, results/miniature/figures/"

test: $(VENV)/ready
	@$(RUN) python -m pytest $(PARALLEL) tests/end_to_end tests/workflow tests/unit

# All that `make test` runs, and what takes longer: kills, servers that fail, a real SLURM, engines.
test-all: test
	@$(RUN) python -m pytest $(PARALLEL) tests/drills $(wildcard tests/engine)

# Changes of the numeric core that no test notices. Mutmut has a folder of its own; it is no part of the environment.
mutation: $(VENV)/ready
	@test -d .mutation/packages || $(RUN) python -m pip install --quiet --target .mutation/packages --no-deps \
	    mutmut==3.8.1 libcst==1.9.0 textual==8.2.8 click==8.5.1 setproctitle==1.3.8 coverage==7.17.5
	@$(RUN) python tests/mutation/run.py

bench: $(VENV)/ready
	@$(RUN) python -m pytest tests/benchmarks -p no:cacheprovider --override-ini testpaths=tests/benchmarks -s

lint: $(VENV)/ready
	@$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) snakefmt --check Snakefile rules
	@$(RUN) snakemake --lint && $(RUN) snakemake --profile miniature --lint

format: $(VENV)/ready
	@$(RUN) ruff check --fix . && $(RUN) ruff format . && $(RUN) snakefmt Snakefile rules

# Which fields recipes may have: after a change of TRL or PEFT in requirements.in.
schemas: $(VENV)/ready
	@$(RUN) PYTHONPATH=workflow/scripts TRL_EXPERIMENTAL_SILENCE=1 python -m refuseu.training.recipe_fields

# The lock is what pip resolves from requirements.in in an empty environment.
lock:
	$(PYTHON) -m venv .lock && .lock/bin/pip install -q -r requirements.in
	.lock/bin/pip freeze | sed 's/+cpu//' | sort -f > requirements.lock
	rm -rf .lock

$(VENV)/ready: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("refuseu needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	@echo "Installing the environment into $(VENV) (once, a few minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

clean:
	rm -rf $(VENV) .lock .mutation results/miniature results/test .snakemake .pytest_cache .ruff_cache
