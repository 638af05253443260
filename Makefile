# Two commands do all the set-up on a fresh Debian or Ubuntu machine: make demo, make test.
.DEFAULT_GOAL := help
.PHONY: help setup cluster demo undemo test unit processes families integration chaos e2e lint format generate \
  images bench

PYTHON := .venv/bin/python
# Without sudo the cluster's program says that it needs root, and the demo runs without a cluster.
SUDO := $(shell [ "$$(id -u)" = 0 ] || ! command -v sudo >/dev/null || echo sudo -E)
PYTEST := $(PYTHON) -m pytest --durations=10

help: ## Show what can be made.
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: ## Make the virtual environment .venv with everything in it.
	@scripts/setup.sh

demo: setup ## Run the main job on a real cluster on this machine, from data to predictions.
	@$(SUDO) .venv/bin/trainyard demo

undemo: setup ## Remove the demo: the cluster, its state and what it served.
	@$(SUDO) .venv/bin/trainyard cluster down --purge

test: setup lint cluster unit processes integration e2e ## Run all checks and tests.
	@echo "+ all checks and tests have passed"

lint: setup ## Check format, lint, types and generated files.
	@echo "+ format, lint, types, generated files"
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m mypy api operator trainer serving cli local images tests benchmarks
	@$(PYTHON) -m trainyard_images generate --check

unit: setup ## Run the pure tests (seconds).
	@echo "+ unit tests: pure, no cluster"
	@$(PYTEST) tests/unit

processes: setup ## Train and run jobs as local processes.
	@echo "+ process tests: real training, as local processes"
	@$(PYTEST) tests/processes

families: setup ## Stop and restart gangs of every family of models, and compare with one worker.
	@TRAINYARD_ALL_FAMILIES=1 $(PYTEST) tests/processes/test_families.py

cluster: setup
	@$(SUDO) $(PYTHON) -m trainyard_local install
	@$(SUDO) $(PYTHON) -m trainyard_local build >/dev/null

integration: cluster ## Run the operator against a real API server, with played pods.
	@echo "+ integration tests: a real API server, pods played by a fake node"
	@$(SUDO) $(PYTEST) tests/integration tests/chaos

# What goes wrong, and when, follows from SEED; without one, any is taken, and printed.
SEED ?=
JOBS ?= 300
MINUTES ?= 10
OPERATORS ?= 2
FOLDER ?= trainyard-run/chaos

chaos: cluster ## Play SEED: JOBS jobs for MINUTES, while everything around OPERATORS (1 or 2) fails.
	@$(SUDO) $(PYTHON) -m tests.chaos $(if $(SEED),--seed $(SEED)) --jobs $(JOBS) \
	  --minutes $(MINUTES) --operators $(OPERATORS) --folder $(FOLDER)

e2e: cluster ## Run jobs on a real node: kubelet, containers, training, serving.
	@echo "+ images"
	@$(SUDO) $(PYTHON) -m trainyard_images build
	@echo "+ end-to-end tests: a real one-node cluster"
	@$(SUDO) $(PYTEST) tests/e2e

format: setup ## Format the code.
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

generate: setup ## Write the CRD and the manifests anew from the models and the chart.
	@$(PYTHON) -m trainyard_images generate

images: setup ## Build the container images (needs root).
	@$(SUDO) $(PYTHON) -m trainyard_images build

bench: setup ## Measure on this machine (root, after make demo); each program prints one JSON line.
	@$(PYTHON) benchmarks/main_job.py manifests/examples/mnist.yaml
	@$(PYTHON) benchmarks/main_job.py manifests/examples/fashion-mnist.yaml
	@$(PYTHON) benchmarks/serving.py --model \
	  "$$(ls trainyard-run/benchmark-fashion-mnist/store/default/*/*/compressed/dynamic_range.tflite)"
	@$(PYTHON) benchmarks/data_pictures.py
	@$(SUDO) $(PYTHON) benchmarks/cluster.py
