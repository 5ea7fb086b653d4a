# Everything a person or a pipeline runs. Each line calls Python or a tool; what they do is said there.

# Also where PYTHON is set and empty, as some shells and pipelines leave it.
ifeq ($(strip $(PYTHON)),)
override PYTHON := $(shell command -v python3.11 || command -v python3)
endif
# With it Python would compile this package anew in each of the thousands of processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
READY := .venv/.ready
# What the demonstration needs, a part of it.
DEMO_READY := .venv/.demo-ready
# One more than there are processors: the tests with the real engine wait for it half of their time.
WORKERS = $(shell $(BIN)/python -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')
EXAMPLE := examples/01-renew-a-token
WORKFLOWS := $(wildcard .github/workflows/*.yml examples/*/.github/workflows/*.yml)
PIPELINES := $(wildcard examples/*/azure-pipelines*.yml)

# Only from the command line of make: a variable of the shell must not make it write.
live-flag = $(if $(filter command,$(origin $1)),$(if $(filter 1,$($1)),--$2))
live-value = $(if $(filter command,$(origin $1)),--$2 '$(subst ','\'',$($1))')

.PHONY: setup engine demo test fuzz soak live check registry reference pictures format constraints wheel dist clean \
        bench bench-throttle bench-memory bench-quick bench-plot
.DEFAULT_GOAL := setup

setup: $(READY)

$(READY): pyproject.toml constraints.txt tools/install.py
	@$(PYTHON) tools/install.py dev
	@touch $(DEMO_READY) $@

$(DEMO_READY): pyproject.toml constraints.txt tools/install.py
	@$(PYTHON) tools/install.py emulator,demo
	@touch $@

engine: $(DEMO_READY)
	@$(BIN)/python tools/engine

demo: $(DEMO_READY)
	@$(BIN)/python tools/engine --demo >/dev/null
	@$(BIN)/python $(EXAMPLE)/demo.py

test: $(READY)
	@$(BIN)/python tools/engine
	$(BIN)/coverage erase
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal --cov --cov-report=

# Odd answers and edited states, 2,000 examples of each; an everyday run has a few. Takes about a quarter of an hour.
fuzz: $(READY)
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest tests/fuzz --numprocesses $(WORKERS) --timeout 1800

# 10,000 operations under random faults, in simulated time. SEED=N repeats a run, OPERATIONS=N changes its length,
# EPISODE=N repeats one episode.
soak: $(READY)
	@PYTHONPATH=tests $(BIN)/python -m soak

# Asks a real tenant the open questions about Graph: docs/live-kit.md. Without credentials it sends nothing.
live: $(READY)
	@PYTHONPATH=tests $(BIN)/python -m live \
	  $(call live-flag,WRITE,write) $(call live-flag,CREATE,create) $(call live-flag,CLAIM,claim) \
	  $(call live-flag,ALLOW_USED,allow-used) $(call live-value,TOKEN_ID,token-id) \
	  $(call live-value,TOKEN_FILE,token-file) $(call live-value,APPLE_ID,apple-id) \
	  $(call live-value,ACCOUNT_TYPE,account-type) $(call live-value,RENEWAL_FILE,renewal-file) \
	  $(call live-value,OTHER_LOCATION_FILE,other-location-file) $(call live-value,EXPIRED_FILE,expired-file) \
	  $(call live-value,CLAIMED_FILE,claimed-file) $(call live-value,EARLIER_FILE,earlier-file) \
	  $(call live-value,OUTSIDE_TOKEN_ID,outside-token-id) $(call live-value,REPORT,report)

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/registry
	go -C tools/lint tool actionlint $(abspath $(WORKFLOWS))
	$(BIN)/check-jsonschema --builtin-schema vendor.azure-pipelines --data-transform azure-pipelines --regex-variant python $(PIPELINES)
	@test -f .coverage || { echo "No coverage yet: run make test first."; exit 1; }
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='provider/intune_vpp/core/*,provider/intune_vpp/lifecycle/*'

# What Pulumi's registry would find wrong with this tree; sends no request.
registry: $(READY)
	@$(BIN)/python tools/registry

# Writes docs/reference/ from schema.json.
reference: $(READY)
	@$(BIN)/python tools/reference

# Compares the plugin with one that does nothing, runs it under the throttle, and sends it hostile answers. Needs a quiet
# machine and about an hour; appends to bench/results.jsonl.
bench: $(READY)
	@$(BIN)/python tools/engine >/dev/null
	@PYTHONPATH=tests $(BIN)/python bench

# Only the runs under the documented throttle.
bench-throttle: $(READY)
	@$(BIN)/python tools/engine >/dev/null
	@PYTHONPATH=tests $(BIN)/python bench --throttle

# Only the memory after hostile answers (Linux).
bench-memory: $(READY)
	@$(BIN)/python tools/engine >/dev/null
	@PYTHONPATH=tests $(BIN)/python bench --memory

# 1 and 100 tokens, one pair, no results stored: about a minute.
bench-quick: $(READY)
	@$(BIN)/python tools/engine >/dev/null
	@PYTHONPATH=tests $(BIN)/python bench --quick

# The picture of the seconds against the number of tokens, from bench/results.jsonl.
bench-plot: $(READY)
	@PYTHONPATH=tests $(BIN)/python bench --plot docs/pictures/cost.svg

# The pictures of the documentation, from real runs.
pictures: $(READY)
	@$(BIN)/python tools/engine >/dev/null
	@PYTHONPATH=tests $(BIN)/python tools/pictures.py

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# New pins: the newest versions that pyproject.toml allows, in an environment of their own.
constraints:
	rm -rf .venv-pins && $(PYTHON) -m venv .venv-pins
	.venv-pins/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	{ echo "# Made by \`make constraints\`; every install line uses it."; .venv-pins/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	rm -rf .venv-pins

# Wheel and source distribution of the provider alone.
wheel: $(READY)
	rm -rf dist
	@$(BIN)/python tools/dist python

# All artefacts of a release that can be built on this machine, with SHA256SUMS: about two minutes.
dist: $(READY)
	rm -rf dist
	@$(BIN)/python tools/engine >/dev/null
	@$(BIN)/python tools/dist

clean:
	rm -rf .venv dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
