# Set-up and everyday runs, from nothing but Python (3.11 to 3.13) and pip. `make` alone says what there is.
# Another interpreter: make PYTHON=/path/to/python3 ...

PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo "$$name" && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
INSTRUMENTS := .venv-instruments
TORCH := torch==2.13.0
GPU := .venv-gpu
DOCS := .venv-docs

.DEFAULT_GOAL := help
.PHONY: help install demo docs docs-pictures test lint bench instruments gpu-contract clean

help:
	@echo 'make demo         install, then draw eight feelings on one portrait into demo.png'
	@echo 'make docs         the documentation as a site, into site/'
	@echo 'make docs-pictures draw the pictures of the documentation again'
	@echo 'make test         install with the dev extra, then ruff, mypy and pytest'
	@echo 'make lint         the same without pytest'
	@echo 'make bench        the benchmarks that need nothing but the package'
	@echo 'make instruments  the environment of the independent instruments (benchmarks/instruments)'
	@echo 'make gpu-contract install pytorch3d (some GB; no GPU is needed), hold both rasterizers to their contract'
	@echo 'make clean        remove environments, caches and what the targets wrote'

# The stamps stand for finished installations: an interrupted one is taken up again.
$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'make: no Python from 3.11 to 3.13 is on the PATH' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	@touch $@

# torch comes first, so that one release is tested. PyPI's build for Linux brings CUDA along; without it:
#   make test TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu'
$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) $(TORCH)
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.core

install: $(VENV)/.core

demo: install
	$(BIN)/synth-affect demo --output demo.png

docs-pictures: install
	$(BIN)/synth-affect demo --output docs/demo.jpg
	$(BIN)/synth-affect demo --units --output docs/action_units.jpg
	$(BIN)/python -m tools.draw_concepts docs

# Docstrings are read, not imported, so the environment holds the extra's own libraries and none of the package's.
$(DOCS)/.done: pyproject.toml
	@test -n '$(PYTHON)' || { echo 'make: no Python from 3.11 to 3.13 is on the PATH' >&2; exit 1; }
	$(PYTHON) -m venv $(DOCS)
	$(PYTHON) -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' \
		> $(DOCS)/requirements.txt
	$(DOCS)/bin/python -m pip --disable-pip-version-check install --quiet --requirement $(DOCS)/requirements.txt
	@touch $@

docs: $(DOCS)/.done
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m mkdocs build --strict

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_rasterizer
	$(BIN)/python -m benchmarks.bench_poisson
	$(BIN)/python -m benchmarks.bench_fit
	$(BIN)/python -m benchmarks.bench_synthesis
	$(BIN)/python -m benchmarks.bench_command

$(INSTRUMENTS)/.done: pyproject.toml benchmarks/instruments/requirements.txt
	@test -n '$(PYTHON)' || { echo 'make: no Python from 3.11 to 3.13 is on the PATH' >&2; exit 1; }
	$(PYTHON) -m venv $(INSTRUMENTS)
	$(INSTRUMENTS)/bin/python -m pip --disable-pip-version-check install --quiet --editable . ai-edge-litert==2.3.0
	$(INSTRUMENTS)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
		--requirement benchmarks/instruments/requirements.txt
	@touch $@

instruments: $(INSTRUMENTS)/.done

$(GPU)/.done: pyproject.toml
	@test -n '$(PYTHON)' || { echo 'make: no Python from 3.11 to 3.13 is on the PATH' >&2; exit 1; }
	$(PYTHON) -m venv $(GPU)
	$(GPU)/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[gpu]' pytest trimesh
	@touch $@

gpu-contract: $(GPU)/.done
	$(GPU)/bin/python -m tools.build_golden_fragments --compare
	$(GPU)/bin/python -m pytest tests/render/test_golden_fragments.py tests/render/test_pytorch3d_rasterizer.py \
		tests/fitting/photometric

clean:
	rm -rf $(VENV) $(INSTRUMENTS) $(GPU) $(DOCS) site .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info demo.png demo.png.json
	find synth_affect tests benchmarks tools -name __pycache__ -prune -exec rm -rf {} +
