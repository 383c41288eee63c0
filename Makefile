# The everyday commands. Each does the set-up that it needs, so a fresh clone can start with any of them.
# They need Python 3.10 or newer with venv. The tests of the generated SDKs need Go and npm; all others need Go only
# where Pulumi's own release cannot be downloaded.

PYTHON ?= python3
# One more than the two cores that a small machine has: some tests wait.
JOBS ?= 3
UV_VERSION := 0.13.9
# The certificates that the machine trusts, as pip does: behind a company's proxy uv's own list does not do.
export UV_SYSTEM_CERTS ?= 1
# The tests start Python a thousand times, and without its compiled modules each start takes twice as long. Containers
# often forbid it to keep them.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
UV := $(BIN)/uv
LOCK := $(UV) pip compile --quiet --universal --no-emit-index-url --generate-hashes --no-annotate --no-header \
        --python-version 3.10
INSTALL := $(UV) pip install --quiet --python $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help setup packages engine codegen browser demo test check test-unit test-plugin test-engine test-oldest test-cli test-moto \
        bench docs dist fmt lock clean

help: ## List these commands
	@echo 'make demo   runs the full workflow with the real Pulumi CLI and LocalEC2 (no AWS account)'
	@echo 'make test   runs every check and test, as CI does'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: packages engine codegen browser ## Python packages in .venv, a Pulumi CLI, its code generation, a headless browser

packages: .venv/installed

engine: packages
	@$(BIN)/python tools/pulumi-cli/get.py --yaml > /dev/null

codegen: packages
	@$(BIN)/python tools/pulumi-cli/get.py --codegen > /dev/null || true # it has said what will be missing

browser:
	@tools/get-browser.sh

demo: .venv/installed-demo ## The story: preview, up, no change, a moved date, drift, repair, destroy
	@$(BIN)/python tools/demo.py

test: setup check ## check, then all tests
	$(BIN)/pytest -n $(JOBS) --dist worksteal

check: packages ## ruff (lint and format) and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test-unit: packages ## Pure functions only: seconds
	$(BIN)/pytest tests/unit

test-plugin: packages ## Both providers over gRPC, as the engine calls them, with all parameters
	$(BIN)/pytest -n $(JOBS) --dist worksteal --every-door tests/plugin

test-engine: setup ## The real Pulumi CLI, end to end
	$(BIN)/pytest -n $(JOBS) --dist worksteal tests/engine

test-oldest: packages ## The main job and the native provider on the oldest Pulumi CLI that the docs promise
	@$(BIN)/python tools/pulumi-cli/get.py --oldest > /dev/null
	$(BIN)/pytest -n $(JOBS) --oldest-cli tests/engine/test_main_job.py tests/engine/test_native.py tests/engine/test_native_policy.py \
	  tests/engine/test_two_doors.py tests/engine/test_aws_examples.py::TestPolicyPack

test-cli: setup ## The command line, with the real CLI and a browser where it needs them
	$(BIN)/pytest -n $(JOBS) --dist worksteal tests/cli

test-moto: packages ## moto's own tests of images against LocalEC2
	$(BIN)/python tools/moto_tests.py

bench: packages engine ## Speed, beside a provider that does nothing
	$(BIN)/python -m benchmarks

docs: packages .venv/installed-docs ## The documentation site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

dist: packages ## Wheel and source archive, in dist/
	$(UV) build

fmt: packages ## Format, and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: $(UV) ## Bring the lock files up to date with pyproject.toml; UPGRADE=1 takes newer versions
	$(LOCK) $(if $(UPGRADE),--upgrade) --all-extras --group dev pyproject.toml -o requirements-dev.lock
	$(LOCK) $(if $(UPGRADE),--upgrade) --group docs -c requirements-dev.lock pyproject.toml -o requirements-docs.lock

clean: ## Remove all that these commands made in the checkout (the Pulumi CLI stays in the user's cache)
	rm -rf .venv dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and \
	    "This needs Python 3.10 or newer; $(PYTHON) is %d.%d. Name another: make PYTHON=python3.12 …" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/installed: requirements-dev.lock pyproject.toml | $(UV)
	$(INSTALL) --require-hashes -r requirements-dev.lock
	$(INSTALL) --no-deps --editable .
	@touch $@

# The demo alone needs no tools of a developer: half of the packages, and no browser.
.venv/installed-demo: requirements-dev.lock pyproject.toml | $(UV)
	@test -e .venv/installed || $(INSTALL) --constraint requirements-dev.lock --editable '.[cli,testing]'
	@touch $@

.venv/installed-docs: requirements-docs.lock | $(UV)
	$(INSTALL) --require-hashes -r requirements-docs.lock
	@touch $@
