# Of a checkout: an environment of its own with the package as it stands here, and targets for those who change it.
# A folder laid by `clir-ot init` has src/clir_ot/kit/environment.mk in place of this file.
PYTHON ?= python3
VENV   ?= .venv
PIP     = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: ready pinned notebooks front-page test test-all lint docs wheel clean

ready pinned: $(VENV)/.installed

notebooks: $(VENV)/.installed-notebooks  ## execute the notebooks in place, on the runs in runs/starter: make distill LANG=yo first
	@$(BIN)/python notebooks/execute.py $(ARGS)

front-page: ready  ## the README's picture and figures from docs/results/; ARGS=report/figures.json: from a new report
	@$(BIN)/python docs/front_page.py $(ARGS)

test: $(VENV)/.installed-dev  ## the tests, without network, in minutes
	$(BIN)/python -m pytest -n auto -m "not slow" $(ARGS)

test-all: $(VENV)/.installed-notebooks $(VENV)/.installed-docs  ## the slow tests too
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.installed-dev  ## ruff, mypy, and the floors
	$(BIN)/ruff check src tests benchmarks notebooks docs
	$(BIN)/ruff format --check src tests benchmarks notebooks docs
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

docs: $(VENV)/.installed-docs  ## the site, into site/: open site/index.html, no server and no network is needed
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo 'site: site/index.html'

wheel: $(VENV)/.installed-wheel  ## dist/: a wheel and its source, for PyPI or `pip install`
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*

clean:  ## remove the virtual environment; runs and the cache stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.installed: setup.cfg constraints.txt
	@$(PYTHON) -c 'import sys; ours = sys.version_info[:2]; sys.exit(not (3, 11) <= ours <= (3, 13) and \
		"make: Python 3.11, 3.12 or 3.13 is needed, this is %d.%d; say make PYTHON=python3.13" % ours)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.installed-notebooks: $(VENV)/.installed-dev
	$(PIP) --editable '.[dev,notebooks]'
	@touch $@

$(VENV)/.installed-wheel: $(VENV)/.installed
	$(PIP) --editable '.[wheel]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) --editable '.[docs]'
	@touch $@
