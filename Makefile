# Everything happens in a virtual environment of its own, made once: `make demo` and `make test` need only
# Python >= 3.11, git and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run-ready
DOCS   := $(VENV)/.docs-ready
DEV    := $(VENV)/.dev-ready
MADE   := $(VENV)/.release-ready
FUZZ   := $(VENV)/.fuzz-ready
LOWEST := $(VENV)/lowest
PEERS  := $(VENV)/peers
PODMAN := $(VENV)/podman-compose
BENCH   = $(DIR) --peers $(PEERS)/bin $(if $(AGAINST),--against '$(AGAINST)')

.PHONY: help demo test programs truth fuzz engine corpus bench speed compare conformance facts docs readme release wheels lowest audit \
	lint types format clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo    try pid1lint on the images in examples/'
	@echo 'make test    lint, types and all tests; as root on Debian it installs the programs that they run (INSTALL=no: not)'
	@echo 'make truth   hold the model against the kernel on N=3000 made-up launches (SEED=...)'
	@echo 'make fuzz    make up hostile files with Atheris (MINUTES=10, WHAT=all, or dockerfile, script, yaml, config...)'
	@echo 'make engine  build, run and stop real images with podman, and hold the verdicts against them (ONLY=a name)'
	@echo 'make corpus  make all fixes in a copy of DIR=..., a folder of repositories: does any file break? (FIXES=file)'
	@echo 'make bench   how long it takes: a cold start, and DIR=..., folders of repositories, beside other linters'
	@echo '             and AGAINST=..., another checkout; make speed writes it into docs/speed.md'
	@echo 'make compare how other linters do on the examples of the rule pages, in an environment of their own'
	@echo 'make conformance  hold how Compose files are read against DIR=..., a clone of compose-go, and podman-compose'
	@echo 'make facts   measure what programs do on signals (WHAT=programs, languages or packages; ONLY=names or kinds; ROOT=folder)'
	@echo 'make docs    the documentation, in site/'
	@echo 'make readme  write into README what its commands print, draw its picture, and write the manual page'
	@echo 'make release build and check in dist/ all that is released (REPOSITORY=..., DOCUMENTATION=..., TAG=..., VSIX=no)'
	@echo 'make wheels  look for a wheel of each dependency, for each platform; install them here without a network'
	@echo 'make lowest  run the tests with the lowest versions of all dependencies (TESTS=...)'
	@echo 'make audit   ask for known vulnerabilities of all dependencies'
	@echo 'make lint    ruff, and zizmor on the workflows; make types: mypy; make format: ruff format'
	@echo 'make clean   remove the virtual environment and all caches'

$(RUN): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pid1lint needs Python 3.11 or newer: make PYTHON=...")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/programs venv
	@echo 'Setting up $(VENV)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DOCS): $(RUN)
	@echo 'Installing what builds the documentation'
	@$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

$(DEV): $(RUN)
	@echo 'Installing the tools for development'
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(MADE): $(RUN)
	@echo 'Installing what builds a release'
	@$(BIN)/python -m pip install --quiet --editable '.[release]'
	@touch $@

$(FUZZ): $(DEV)
	@echo 'Installing Atheris'
	@$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	@touch $@

demo: $(RUN)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: programs lint types
	$(BIN)/python -m pytest

# Not in the environment but on the machine: as root on Debian; elsewhere the tests that need them skip.
programs:
	@.ci/programs

truth: $(DEV)
	$(BIN)/python -m tests.truth --cases $(or $(N),3000) $(if $(SEED),--seed $(SEED))

fuzz: $(FUZZ)
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10) --what $(or $(WHAT),all)

engine: $(DEV)
	CLASSIC=yes INSTANTS=50 $(BIN)/python -m pytest tests/engine tests/deploy/test_engine.py
	$(BIN)/python -m tests.engine $(if $(ONLY),--only '$(ONLY)')

corpus: $(DEV)
	@test -n '$(DIR)' || { echo 'make corpus DIR=a-folder-of-repositories [FIXES=file]'; exit 2; }
	$(BIN)/python -m tests.corpus '$(DIR)' $(if $(FIXES),--fixes '$(FIXES)')

bench: $(DEV) $(if $(DIR),$(PEERS)/.ready)
	$(BIN)/python -m tests.bench $(BENCH)

speed: $(DEV) $(PEERS)/.ready
	@test -n '$(DIR)' || { echo 'make speed DIR=a-folder-of-repositories [AGAINST=another-checkout]'; exit 2; }
	$(BIN)/python -m tests.bench $(BENCH) --write docs/speed.md

$(PEERS)/.ready: tests/compare/requirements.txt
	@echo 'Installing the linters to compare with'
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --requirement $<
	@touch $@

compare: $(DEV) $(PEERS)/.ready
	$(BIN)/python -m tests.compare --peers '$(CURDIR)/$(PEERS)/bin'

$(PODMAN)/.ready: tests/conformance/requirements.txt
	@echo 'Installing podman-compose'
	@$(PYTHON) -m venv $(PODMAN)
	@$(PODMAN)/bin/python -m pip install --quiet --requirement $<
	@touch $@

conformance: $(DEV) $(PODMAN)/.ready
	@test -n '$(DIR)' || { echo 'make conformance DIR=a-clone-of-compose-go'; exit 2; }
	$(BIN)/python -m tests.conformance '$(DIR)' --podman-compose '$(CURDIR)/$(PODMAN)/bin/podman-compose'

facts: $(DEV)
	$(BIN)/python -m tests.factory $(or $(WHAT),programs) $(ONLY) --root '$(or $(ROOT),build/facts)'

docs: $(DOCS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo 'Built in site/: $(BIN)/python -m http.server --directory site shows it'

readme: $(RUN)
	$(BIN)/python docs/refresh.py
	$(BIN)/python docs/manpage.py

release: $(MADE)
	$(BIN)/python -m release $(if $(REPOSITORY),--repository '$(REPOSITORY)') \
		$(if $(DOCUMENTATION),--documentation '$(DOCUMENTATION)') $(if $(TAG),--tag '$(TAG)') \
		$(if $(filter no,$(VSIX)),--no-vsix)

wheels: $(MADE)
	$(BIN)/python -m release.wheels

$(LOWEST)/.ready: release/lowest.txt $(MADE)
	@echo 'Installing the lowest versions of all dependencies'
	@$(PYTHON) -m venv --clear $(LOWEST)
	@$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --constraint release/lowest.txt --editable '.[dev]'
	@touch $@

# How long something takes, and the documentation, are not tried again.
lowest: $(LOWEST)/.ready
	$(LOWEST)/bin/python -m pytest $(or $(TESTS),--ignore tests/bench --ignore tests/engine --ignore tests/truth \
		--ignore tests/test_documentation.py --ignore tests/test_limits.py)

audit: $(MADE)
	@mkdir -p build
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --output-file build/audit.txt pyproject.toml
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement build/audit.txt

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/zizmor --quiet --offline --persona pedantic --no-progress .github/workflows action.yml

types: $(DEV)
	$(BIN)/mypy

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
