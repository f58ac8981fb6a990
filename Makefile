# clir-ot: `make` alone prints the help below.
PYTHON     ?= python3
VENV       ?= .venv
COLLECTION ?= starter
MEDIAWIKI  ?= mediawiki
RUNS       ?= runs/$(notdir $(patsubst %/,%,$(COLLECTION)))
TEACHER    ?= $(RUNS)/teacher
DEVICES    ?=
EXPERIMENT ?=
SWEEP      ?= distill
COUNT      ?=
ARGS       ?=
REPO       ?=

BIN   := $(VENV)/bin
CLIR  := $(BIN)/clir-ot
ABLATE = $(CLIR) ablate $(if $(DEVICES),--devices $(DEVICES))
# Of an experiment; what follows the file overrides it.
FIT    = $(CLIR) fit --config $(1) --data.collection $(COLLECTION) $(if $(DEVICES),--trainer.devices $(DEVICES))
DISTILLED = $(or $(RUN),$(RUNS)/distill-$(CODE))
# One name for `yor` and `yo`, `tl` and `fil`: asked for when a recipe runs, so after the installation; as given where
# it is no language code, which the command that gets it says.
CODE = $(or $(shell $(BIN)/python -m clir_ot.collections.languages '$(LANG)' 2>/dev/null),$(LANG))

# LANG is the locale variable too: only a LANG given to make means a language, and that one must not reach the
# programs that make runs, where it would be taken for a locale.
ifeq ($(origin LANG),command line)
unexport LANG
MAKEOVERRIDES := $(filter-out LANG=%,$(MAKEOVERRIDES))
LANGUAGE_GIVEN := yes
endif

.DEFAULT_GOAL := help
.PHONY: help install dashboard starter mediawiki teacher distill hybrid ablation ablation-alpha ablation-bitext sweep report notebooks evaluate push test test-all lint clean language repo built checked
.DELETE_ON_ERROR:

help:  ## this list
	@echo 'usage: make TARGET [LANG=yo] [COLLECTION=folder] [DEVICES=n] [EXPERIMENT=file.yaml] [ARGS="--key value"]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## a virtual environment with pinned versions

starter: install  ## fetch the starter's encoder and collection into the cache
	@$(CLIR) collection build starter

mediawiki: install  ## on Debian: fetch MediaWiki's package, build a collection of 200 languages from it, here in mediawiki/
	@$(CLIR) collection build mediawiki $(MEDIAWIKI) $(ARGS)

teacher: install built  ## train the English teacher ranker, evaluate it
	@$(call FIT,$(or $(EXPERIMENT),experiments/teacher.yaml)) --run $(or $(RUN),$(TEACHER)) $(ARGS)
	@$(CLIR) evaluate $(or $(RUN),$(TEACHER)) --collection $(COLLECTION)

distill: checked $(TEACHER)/encoder/modules.json  ## distil a student: make distill LANG=yo
	@$(call FIT,$(or $(EXPERIMENT),experiments/distill.yaml)) --run $(DISTILLED) \
		--model.teacher $(TEACHER)/encoder --data.languages $(LANG) $(ARGS)
	@$(CLIR) evaluate $(DISTILLED) --collection $(COLLECTION)

hybrid: install built  ## train the hybrid-batch ranker, evaluate it
	@$(call FIT,$(or $(EXPERIMENT),experiments/hybrid.yaml)) --run $(or $(RUN),$(RUNS)/hybrid) $(ARGS)
	@$(CLIR) evaluate $(or $(RUN),$(RUNS)/hybrid) --collection $(COLLECTION)

ablation: checked $(TEACHER)/encoder/modules.json  ## transport and its rivals, three seeds, one table: make ablation LANG=yo
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/alignment.yaml) --run $(or $(RUN),$(RUNS)/ablation-$(CODE)) \
		--teacher $(TEACHER)/encoder --collection $(COLLECTION) --language $(LANG) $(ARGS)

ablation-alpha: install built  ## hybrid batches from cross-lingual to monolingual, three seeds, one table
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/alpha.yaml) --run $(or $(RUN),$(RUNS)/ablation-alpha) \
		--collection $(COLLECTION) $(ARGS)

ablation-bitext: checked $(TEACHER)/encoder/modules.json  ## students of a part of the bitext, three seeds, one table: LANG=yo
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/bitext.yaml) --run $(or $(RUN),$(RUNS)/ablation-bitext-$(CODE)) \
		--teacher $(TEACHER)/encoder --collection $(COLLECTION) --language $(LANG) $(ARGS)

# Not in RUNS: the report is on systems, not on every trial that helped to choose one.
sweep: $(if $(filter hybrid,$(SWEEP)),install built,checked $(TEACHER)/encoder/modules.json)  ## try settings, here or at W&B: make sweep SWEEP=distill LANG=yo COUNT=8
	@$(CLIR) sweep $(or $(EXPERIMENT),experiments/sweeps/$(SWEEP).yaml) --collection $(COLLECTION) \
		--run $(or $(RUN),$(RUNS)-sweeps/$(SWEEP)$(if $(LANGUAGE_GIVEN),-$(CODE))) $(if $(LANGUAGE_GIVEN),--language $(LANG)) \
		$(if $(filter hybrid,$(SWEEP)),,--teacher $(TEACHER)/encoder) $(if $(COUNT),--count $(COUNT)) \
		$(if $(DEVICES),--devices $(DEVICES)) $(ARGS)

report: install  ## one page on all runs in RUNS: tables, tests, pictures, the answer
	@$(CLIR) report $(RUNS) --collection $(COLLECTION) --output $(or $(RUN),$(RUNS)/report) $(ARGS)

notebooks: $(VENV)/.installed-notebooks  ## execute the notebooks in place, on the runs in runs/starter: make distill LANG=yo first
	@$(BIN)/python notebooks/execute.py $(ARGS)

dashboard: install  ## what the runs in RUNS have logged: at W&B where they are online, else in the terminal
	@$(CLIR) dashboard $(or $(RUN),$(RUNS)) $(ARGS)

evaluate: $(if $(RUN),,language) install  ## the table of a trained run: make evaluate LANG=yo, or RUN=folder
	@$(CLIR) evaluate $(DISTILLED) --collection $(COLLECTION) $(ARGS)

push: $(if $(REPO),,repo) $(if $(RUN),,language) install  ## upload a trained encoder with its card: make push REPO=user/name RUN=folder
	@$(CLIR) push $(DISTILLED) --repo $(REPO) $(ARGS)

test: $(VENV)/.installed-dev  ## the tests, without network, in minutes
	$(BIN)/python -m pytest -n auto -m "not slow" $(ARGS)

test-all: $(VENV)/.installed-notebooks  ## the slow tests too
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.installed-dev  ## ruff, mypy, and the floors
	$(BIN)/ruff check src tests benchmarks notebooks
	$(BIN)/ruff format --check src tests benchmarks notebooks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

clean:  ## remove the virtual environment; runs and the cache stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

# A language must be there before anything slow begins.
checked: language install built
	@$(CLIR) collection check $(COLLECTION) --languages $(LANG)

# The starter's encoder is every experiment's default, whatever the collection.
built: install
	@$(CLIR) collection build starter --quiet

repo:
	@echo 'make: which repository on the Hugging Face hub? such as: make push REPO=user/name RUN=folder' >&2; exit 1

language:
ifndef LANGUAGE_GIVEN
	@echo 'make: which language? say it on the command line, such as: make $(firstword $(MAKECMDGOALS)) LANG=yo' >&2; exit 1
endif

# Only where there is no teacher: `make teacher` is the target that looks whether an existing one is up to date.
$(TEACHER)/encoder/modules.json: | install
	@$(call FIT,experiments/teacher.yaml) --run $(TEACHER)

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
