# The commands of this project. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONTROL_PLANE ?= sandbox
INPUTS ?= 100000
WORKERS ?= 4
LOCK := constraints.txt
# uv where it is on PATH. Else pip, which comes with Python and is then first made new enough for dependency groups.
UV := $(shell command -v uv)
PIP := $(if $(UV),uv pip install --python $(BIN)/python,$(BIN)/python -m pip install --disable-pip-version-check)
INSTALL := $(PIP) --quiet --constraint $(LOCK) --build-constraint $(LOCK)
UNIT := $(addprefix tests/,core engine compat cluster cli kubelet openshift sandbox bench)

.PHONY: help setup demo unit test chaos bench fuzz lint control-plane lock clean setup-release krew-archive release reference pictures

help: ## What can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## The virtual environment, with everything to run and test

$(VENV)/.ready: pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@tests/system-packages setup $(PYTHON)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "error: $(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(if $(UV),:,$(PIP) --quiet --constraint $(LOCK) pip)
	@PYTHONWARNINGS=ignore::UserWarning $(INSTALL) --editable '.[timeline]' --group dev
	@touch $@

setup-release: setup $(VENV)/.ready-release ## What it takes to build what is released, into the same environment

$(VENV)/.ready-release: $(VENV)/.ready
	@$(INSTALL) --group release
	@touch $@

lock: ## constraints.txt from pyproject.toml, by uv (UPGRADE=--upgrade: with the newest of everything)
	@command -v uv >/dev/null || { echo "error: make lock needs uv: pip install uv" >&2; exit 1; }
	@uv pip compile --quiet --universal --python-version 3.11 --all-extras $(addprefix --group ,dev fuzz release) \
	  --no-emit-index-url --annotation-style line --custom-compile-command "make lock" $(UPGRADE) \
	  --output-file $(LOCK) pyproject.toml

demo: setup ## A real update against the embedded sandbox (CONTROL_PLANE=real: the real control plane)
	@$(BIN)/python -m demo --control-plane $(CONTROL_PLANE)

unit: setup ## The tests that need no server, but for the long sweeps: less than a minute
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not sweep" $(UNIT)

test: setup-release $(VENV)/.ready-fuzz ## Lint, types, layers and all tests (WORKERS=4 at once: half of a test is waiting), on the real control plane, too, where it can be had
	@tests/system-packages test $(BIN)/python
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m testing.controlplane binaries >/dev/null || [ "$${ROLLUPDATE_REQUIRE_CONTROL_PLANE:-0}" != 1 ]
	@rm -rf .coverage
	@$(BIN)/python -m coverage run -m pytest -n $(WORKERS) --dist loadgroup
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

chaos: setup ## Killed at every write, faults, races; writes docs/reliability.md (more than an hour; CHAOS="--only real": a part)
	@$(BIN)/python -m testing.controlplane binaries >/dev/null
	@$(BIN)/python -m testing.chaos $(CHAOS)

bench: setup ## Against a Deployment, on the real control plane; writes docs/performance.md (BENCH=--quick to try it)
	@$(BIN)/python -m testing.controlplane binaries >/dev/null
	@$(BIN)/python -m bench $(BENCH)

fuzz: setup $(VENV)/.ready-fuzz ## Made-up input of every kind, 100,000 of it (INPUTS=N: so many)
	@$(BIN)/python -m testing.fuzz --inputs $(INPUTS)

# Where atheris cannot be installed hypothesis makes all the inputs, which is said.
$(VENV)/.ready-fuzz: $(VENV)/.ready
	@$(INSTALL) --group fuzz || echo "atheris cannot be installed here" >&2
	@touch $@

lint: setup ## ruff, mypy --strict, import-linter, and the other checks of .pre-commit-config.yaml, on all files
	@$(BIN)/pre-commit run --all-files

control-plane: setup ## Find or build etcd, kube-apiserver and kube-controller-manager
	@$(BIN)/python -m testing.controlplane binaries

krew-archive: setup-release ## dist/: the self-contained program for this platform, and its krew manifest
	@$(BIN)/python -m release archive

release: setup-release ## dist/: all that is released: archive, krew manifest, wheel, sdist, checked
	@$(BIN)/python -m release python
	@$(BIN)/python -m release archive

reference: setup ## docs/reference.md and man/, from the table of flags
	@$(BIN)/python -m release reference

pictures: setup ## docs/{demo,live,timeline}.svg, from updates on the sandbox
	@$(BIN)/python -m release pictures

clean: ## Remove what was made here (not the cached control plane)
	rm -rf $(VENV) .coverage build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
