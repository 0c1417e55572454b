# `make demo` on a fresh machine with Python 3.11 or newer: makes .venv, installs what is pinned, writes a blog.

VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-blog
# pytest-xdist's workers; a file's tests stay in one of them.
WORKERS ?= 2
PYTHON ?= $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: help demo dev test check lint types licences format bench bench-import bench-site bench-graph bench-llm bench-privacy soak screenshot pins clean

help:
	@echo "make demo        write the demo blog (needs Python 3.11 or newer, and nothing else)"
	@echo "make dev         open the Dagster UI on the demo site"
	@echo "make test        lint, types, licences, and all tests"
	@echo "make check       all but the tests; make format puts lint right"
	@echo "make bench       how fast imports (bench-import), site builds (bench-site), the proof (bench-privacy) and a write with nothing to do (bench-graph) are"
	@echo "make bench-llm   how close to ideal a run of 200 windows comes, without and with failing calls"
	@echo "make soak        kill runs of a big chat again and again"
	@echo "make screenshot  take docs/screenshot.png from the demo blog"
	@echo "make pins        write the requirements files again after a change of pyproject.toml"

demo: $(VENV)/.installed
	$(BIN)/egregora demo --site $(DEMO)

dev: $(VENV)/.installed
	@test -f $(DEMO)/site/index.html || $(BIN)/egregora demo --site $(DEMO)
	$(BIN)/egregora dev --site $(DEMO)

test: check
	$(BIN)/pytest -m "not soak" -n $(WORKERS) --dist loadfile

check: lint types licences

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-dev
	$(BIN)/pyright --pythonpath $(BIN)/python
	@# Never looked for in a hidden folder, only named.
	$(BIN)/pyright --pythonpath $(BIN)/python .ci/*.py

licences: $(VENV)/.installed-dev
	$(BIN)/python .ci/licences.py

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: bench-import bench-site bench-privacy bench-graph

bench-import: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/import_speed.py

bench-site: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/site_speed.py

bench-graph: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/graph_speed.py

bench-llm: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/llm_speed.py
	$(BIN)/python benchmarks/llm_speed.py --faults 0.2

bench-privacy: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/privacy_speed.py

soak: $(VENV)/.installed-dev
	$(BIN)/pytest -m soak

screenshot: demo
	.ci/screenshot $(DEMO)/site docs/screenshot.png

pins: $(VENV)/.installed-dev
	$(BIN)/pip install --quiet --upgrade --upgrade-strategy only-if-needed -e ".[dev]"
	$(BIN)/python .ci/pins.py

clean:
	rm -rf $(DEMO) $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name yours with PYTHON=..." >&2; exit 1; }
	@echo "Installing what requirements.txt pins into $(VENV): some minutes the first time."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
