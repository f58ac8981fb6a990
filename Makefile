# clir-ot: `make` alone prints the help below.
PYTHON     ?= python3
VENV       ?= .venv
COLLECTION ?= starter
RUNS       ?= runs/$(notdir $(patsubst %/,%,$(COLLECTION)))
TEACHER    ?= $(RUNS)/teacher
DEVICES    ?=
EXPERIMENT ?=
ARGS       ?=

BIN   := $(VENV)/bin
CLIR  := $(BIN)/clir-ot
ABLATE = $(CLIR) ablate $(if $(DEVICES),--devices $(DEVICES))
FIT    = $(CLIR) fit --data.collection $(COLLECTION) $(if $(DEVICES),--trainer.devices $(DEVICES))
DISTILLED = $(or $(RUN),$(RUNS)/distill-$(LANG))

# LANG is the locale variable too: only a LANG given to make means a language, and that one must not reach the
# programs that make runs, where it would be taken for a locale.
ifeq ($(origin LANG),command line)
unexport LANG
MAKEOVERRIDES := $(filter-out LANG=%,$(MAKEOVERRIDES))
LANGUAGE_GIVEN := yes
endif

.DEFAULT_GOAL := help
.PHONY: help install starter teacher distill hybrid ablation ablation-alpha ablation-bitext report evaluate test test-all lint clean language built checked
.DELETE_ON_ERROR:

help:  ## this list
	@echo 'usage: make TARGET [LANG=yo] [COLLECTION=folder] [DEVICES=n] [EXPERIMENT=file.yaml] [ARGS="--key value"]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## a virtual environment with pinned versions

starter: install  ## fetch the starter's encoder and collection into the cache
	@$(CLIR) collection build starter

teacher: install built  ## train the English teacher ranker, evaluate it
	@$(FIT) --config $(or $(EXPERIMENT),experiments/teacher.yaml) --run $(or $(RUN),$(TEACHER)) $(ARGS)
	@$(CLIR) evaluate $(or $(RUN),$(TEACHER)) --collection $(COLLECTION)

distill: checked $(TEACHER)/encoder/modules.json  ## distil a student: make distill LANG=yo
	@$(FIT) --config $(or $(EXPERIMENT),experiments/distill.yaml) --run $(DISTILLED) \
		--model.teacher $(TEACHER)/encoder --data.languages $(LANG) $(ARGS)
	@$(CLIR) evaluate $(DISTILLED) --collection $(COLLECTION)

hybrid: install built  ## train the hybrid-batch ranker, evaluate it
	@$(FIT) --config $(or $(EXPERIMENT),experiments/hybrid.yaml) --run $(or $(RUN),$(RUNS)/hybrid) $(ARGS)
	@$(CLIR) evaluate $(or $(RUN),$(RUNS)/hybrid) --collection $(COLLECTION)

ablation: checked $(TEACHER)/encoder/modules.json  ## transport and its rivals, three seeds, one table: make ablation LANG=yo
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/alignment.yaml) --run $(or $(RUN),$(RUNS)/ablation-$(LANG)) \
		--teacher $(TEACHER)/encoder --collection $(COLLECTION) --language $(LANG) $(ARGS)

ablation-alpha: install built  ## hybrid batches from cross-lingual to monolingual, three seeds, one table
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/alpha.yaml) --run $(or $(RUN),$(RUNS)/ablation-alpha) \
		--collection $(COLLECTION) $(ARGS)

ablation-bitext: checked $(TEACHER)/encoder/modules.json  ## students of a part of the bitext, three seeds, one table: LANG=yo
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/bitext.yaml) --run $(or $(RUN),$(RUNS)/ablation-bitext-$(LANG)) \
		--teacher $(TEACHER)/encoder --collection $(COLLECTION) --language $(LANG) $(ARGS)

report: install  ## one page on all runs in RUNS: tables, tests, pictures, the answer
	@$(CLIR) report $(RUNS) --collection $(COLLECTION) --output $(or $(RUN),$(RUNS)/report) $(ARGS)

evaluate: $(if $(RUN),,language) install  ## the table of a trained run: make evaluate LANG=yo, or RUN=folder
	@$(CLIR) evaluate $(DISTILLED) --collection $(COLLECTION) $(ARGS)

test: $(VENV)/.installed-dev  ## the tests, without network, in minutes
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-all: $(VENV)/.installed-notebooks  ## the slow tests too
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.installed-dev  ## ruff and mypy
	$(BIN)/ruff check src tests benchmarks notebooks
	$(BIN)/ruff format --check src tests benchmarks notebooks
	$(BIN)/mypy

clean:  ## remove the virtual environment; runs and the cache stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

# A language must be there before anything slow begins.
checked: language install built
	@$(CLIR) collection check $(COLLECTION) --languages $(LANG)

# The starter's encoder is every experiment's default, whatever the collection.
built: install
	@$(CLIR) collection build starter --quiet

language:
ifndef LANGUAGE_GIVEN
	@echo 'make: which language? say it on the command line, such as: make $(firstword $(MAKECMDGOALS)) LANG=yo' >&2; exit 1
endif

# Only where there is no teacher: `make teacher` is the target that looks whether an existing one is up to date.
$(TEACHER)/encoder/modules.json: | install
	@$(FIT) --config experiments/teacher.yaml --run $(TEACHER)

$(VENV)/.installed: setup.cfg constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "make: Python 3.11 or newer is needed; say make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(VENV)/.installed-notebooks: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,notebooks]'
	@touch $@
