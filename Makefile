# Two commands do all of their own set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

SOQL_PARSER := @jetstreamapp/soql-parser-js@6.3.1

.PHONY: help demo test check lint types wheel deploy-package lock readers install-matrix container-steps mutate-answers load-faults proof-worlds mutants clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.demo ## the whole job on a local sandbox, without credentials
	@$(BIN)/accountpulse demo

# tests wait for sockets as often as they compute: two processes more than there are cores; a file's tests stay in one of
# them, so that what its tests share is made once; bytecode is kept, since hundreds of processes are started
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev .node/.ready ## all tests, on all cores
	$(BIN)/python -m pytest -n $$($(BIN)/python -c "import os; print(2 + (os.cpu_count() or 1))") --dist loadfile

check: lint types ## lint, types and the rules of the house

lint: $(VENV)/.dev ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## strict types
	$(BIN)/mypy

# where the system's Python comes without ensurepip (Debian without python3-venv), pip itself fills the environment
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip $(VENV)

$(VENV)/.demo: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(PYTHON) tools/install.py $(BIN)/python requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	$(PYTHON) tools/install.py $(BIN)/python requirements-dev.txt
	@touch $@ $(VENV)/.demo

# an independent parser that judges our SOQL; without npm, or without a network, its tests are skipped
.node/.ready: Makefile
	@mkdir -p .node
	@! command -v npm >/dev/null || { \
		npm install --prefix .node --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --silent \
			--fetch-retries=1 --fetch-timeout=30000 $(SOQL_PARSER) && touch $@; } || true

wheel: $(VENV)/.demo ## dist/: the wheel, for pipx
	$(BIN)/python -m hatchling build -t wheel -d dist

deploy-package: $(VENV)/.demo ## build/aws/: the stack's template, and the code as lambda/ and its zip
	$(BIN)/accountpulse deploy-files aws build/aws --force
	$(PYTHON) build/aws/package.py $(CONFIG)

RESOLVE := uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links
COMPILE := $(RESOLVE) pyproject.toml --extra build

lock: ## resolve the requirement files anew (needs uv); what is tested is what is shipped
	$(COMPILE) --extra dev -o requirements-dev.txt
	$(COMPILE) --extra rollbar -c requirements-dev.txt -o requirements.txt
	echo 'tap-intercom>=2.2' | $(RESOLVE) - -o tests/readers/requirements-intercom.txt
	echo 'tap-jira>=2.6' | $(RESOLVE) - -o tests/readers/requirements-jira.txt

# whole extractors of others, each in an environment of its own: they pin what we use newer
build/readers/%/.ready: tests/readers/requirements-%.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

readers: $(VENV)/.dev build/readers/intercom/.ready build/readers/jira/.ready ## extractors of others read the sandbox (2 minutes)
	$(BIN)/python -m pytest tests/readers/extractors.py

install-matrix: ## the wheel by pipx with every python3.N here, lowest and newest dependencies, used (3 minutes each)
	$(PYTHON) tests/installed/matrix.py $(PYTHONS:%=--python %)

container-steps: $(VENV)/.demo ## the Dockerfile's steps in a Debian of its own, and its program used; root, debootstrap
	$(BIN)/accountpulse deploy-files container build/container --force
	$(PYTHON) tests/installed/container.py build/container

mutate-answers: $(VENV)/.dev ## change one thing of one answer of the sandbox, each way at each endpoint (half an hour)
	PYTHONPATH=tests $(BIN)/python -m mutations.run

load-faults: $(VENV)/.dev ## lose and spoil answers to loads of 700 and 20,000 accounts, and compare reports with the org
	PYTHONPATH=tests $(BIN)/python -m faults.loads

proof-worlds: $(VENV)/.dev ## intervals against known truth in 1,000 worlds (four minutes)
	OPENBLAS_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m proof.simulation --worlds 1000

mutants: $(VENV)/.dev ## change the arithmetic of scoring/ bit by bit and see whether the tests notice (an hour)
	$(BIN)/pip install --quiet mutmut
	$(BIN)/mutmut run
	$(BIN)/mutmut results

clean: ## remove what the other targets made
	rm -rf $(VENV) .node .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist mutants
