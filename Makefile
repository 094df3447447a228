# make run               set up and run the pipeline of the root workspace
# make run DATA=PATH     the same for your own plates, a folder or an archive
# make run PROFILE=NAME  the same in a workspace of a profile: smoke, cpu, imported, paper, realism
# make ui                server, deployments, a worker and MLflow on this machine, until Ctrl-C
# make test              set up and run the tests (at most 15 minutes)
# make test-all          the same with what needs servers, browsers and kills (34 minutes on 2 cores)

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY ?= true
export DO_NOT_TRACK ?= true

.PHONY: run test test-all unit check format lock mlflow ui clean

run: $(READY)
	acl run $(if $(DATA),--data "$(DATA)") $(if $(PROFILE),--profile "$(PROFILE)") $(if $(WORKSPACE),--workspace "$(WORKSPACE)")

# Files of tests run side by side, each on one thread: most of their time goes into starting things and waiting for them.
JOBS ?= 2
SIDE_BY_SIDE := OMP_NUM_THREADS=1 pytest -n $(JOBS) --dist loadfile

test: check unit
	$(SIDE_BY_SIDE) -m "e2e and not slow"

test-all: check unit
	$(SIDE_BY_SIDE) -m e2e

unit: $(READY)
	$(SIDE_BY_SIDE) -m "not e2e"

check: $(READY)
	ruff check .
	ruff format --check .
	mypy
	lint-imports

format: $(READY)
	ruff check --fix .
	ruff format .

ui: $(READY)
	acl ui

mlflow: $(READY)
	mlflow ui --host 127.0.0.1 --backend-store-uri "sqlite:///$(CURDIR)/mlruns/mlflow.db"

# The environment is brought up to date when the lock file or the project's metadata change.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11 to 3.13 is needed, this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

# Pins for Python 3.11 to 3.13 on Linux, with hashes.
lock: pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
