# clir-ot: `make` alone prints the help below.
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

# Says which clir-ot that is, and makes it ready and pinned: of a checkout beside this file, with targets for those who
# change the code; in a folder that `clir-ot init` has laid, the one that is installed.
include environment.mk

BIN   := $(VENV)/bin
CLIR  := '$(BIN)/clir-ot'
ABLATE = $(CLIR) ablate $(if $(DEVICES),--devices $(DEVICES))
# Of an experiment; what follows the file overrides it.
FIT    = $(CLIR) fit --config $(1) --data.collection $(COLLECTION) $(if $(DEVICES),--trainer.devices $(DEVICES))
DISTILLED = $(or $(RUN),$(RUNS)/distill-$(CODE))
# One name for `yor` and `yo`, `tl` and `fil`: asked for when a recipe runs, so after the installation; as given where
# it is no language code, which the command that gets it says.
CODE = $(or $(shell '$(BIN)/python' -m clir_ot.collections.languages '$(LANG)' 2>/dev/null),$(LANG))

# LANG is the locale variable too: only a LANG given to make means a language, and that one must not reach the
# programs that make runs, where it would be taken for a locale.
ifeq ($(origin LANG),command line)
unexport LANG
MAKEOVERRIDES := $(filter-out LANG=%,$(MAKEOVERRIDES))
LANGUAGE_GIVEN := yes
endif

.DEFAULT_GOAL := help
.PHONY: help install starter mediawiki teacher distill hybrid ablation ablation-alpha ablation-bitext sweep report dashboard evaluate push language repo built checked
.DELETE_ON_ERROR:

help:  ## this list
	@echo 'usage: make TARGET [LANG=yo] [COLLECTION=folder] [DEVICES=n] [EXPERIMENT=file.yaml] [ARGS="--key value"]'
	@echo '       [RUNS=folder of runs] [TEACHER=its run] [RUN=folder of this one]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: pinned  ## clir-ot, with pinned versions of all that it needs

starter: ready  ## fetch the starter's encoder and collection into the cache
	@$(CLIR) collection build starter

mediawiki: ready  ## on Debian: fetch MediaWiki's package, build a collection of 200 languages from it, here in mediawiki/
	@$(CLIR) collection build mediawiki $(MEDIAWIKI) $(ARGS)

teacher: ready built  ## train the English teacher ranker, evaluate it
	@$(call FIT,$(or $(EXPERIMENT),experiments/teacher.yaml)) --run $(or $(RUN),$(TEACHER)) $(ARGS)
	@$(CLIR) evaluate $(or $(RUN),$(TEACHER)) --collection $(COLLECTION)

distill: checked $(TEACHER)/encoder/modules.json  ## distil a student: make distill LANG=yo
	@$(call FIT,$(or $(EXPERIMENT),experiments/distill.yaml)) --run $(DISTILLED) \
		--model.teacher $(TEACHER)/encoder --data.languages $(LANG) $(ARGS)
	@$(CLIR) evaluate $(DISTILLED) --collection $(COLLECTION)

hybrid: ready built  ## train the hybrid-batch ranker, evaluate it
	@$(call FIT,$(or $(EXPERIMENT),experiments/hybrid.yaml)) --run $(or $(RUN),$(RUNS)/hybrid) $(ARGS)
	@$(CLIR) evaluate $(or $(RUN),$(RUNS)/hybrid) --collection $(COLLECTION)

ablation: checked $(TEACHER)/encoder/modules.json  ## transport and its rivals, three seeds, one table: make ablation LANG=yo
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/alignment.yaml) --run $(or $(RUN),$(RUNS)/ablation-$(CODE)) \
		--teacher $(TEACHER)/encoder --collection $(COLLECTION) --language $(LANG) $(ARGS)

ablation-alpha: ready built  ## hybrid batches from cross-lingual to monolingual, three seeds, one table
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/alpha.yaml) --run $(or $(RUN),$(RUNS)/ablation-alpha) \
		--collection $(COLLECTION) $(ARGS)

ablation-bitext: checked $(TEACHER)/encoder/modules.json  ## students of a part of the bitext, three seeds, one table: LANG=yo
	@$(ABLATE) $(or $(EXPERIMENT),experiments/ablation/bitext.yaml) --run $(or $(RUN),$(RUNS)/ablation-bitext-$(CODE)) \
		--teacher $(TEACHER)/encoder --collection $(COLLECTION) --language $(LANG) $(ARGS)

# Not in RUNS: the report is on systems, not on every trial that helped to choose one.
sweep: $(if $(filter hybrid,$(SWEEP)),ready built,checked $(TEACHER)/encoder/modules.json)  ## try settings, here or at W&B: make sweep SWEEP=distill LANG=yo COUNT=8
	@$(CLIR) sweep $(or $(EXPERIMENT),experiments/sweeps/$(SWEEP).yaml) --collection $(COLLECTION) \
		--run $(or $(RUN),$(RUNS)-sweeps/$(SWEEP)$(if $(LANGUAGE_GIVEN),-$(CODE))) $(if $(LANGUAGE_GIVEN),--language $(LANG)) \
		$(if $(filter hybrid,$(SWEEP)),,--teacher $(TEACHER)/encoder) $(if $(COUNT),--count $(COUNT)) \
		$(if $(DEVICES),--devices $(DEVICES)) $(ARGS)

report: ready  ## one page on all runs in RUNS: tables, tests, pictures, the answer
	@$(CLIR) report $(RUNS) --collection $(COLLECTION) --output $(or $(RUN),$(RUNS)/report) $(ARGS)

dashboard: ready  ## what the runs in RUNS have logged: at W&B where they are online, else in the terminal
	@$(CLIR) dashboard $(or $(RUN),$(RUNS)) $(ARGS)

evaluate: $(if $(RUN),,language) ready  ## the table of a trained run: make evaluate LANG=yo, or RUN=folder
	@$(CLIR) evaluate $(DISTILLED) --collection $(COLLECTION) $(ARGS)

push: $(if $(REPO),,repo) $(if $(RUN),,language) ready  ## upload a trained encoder with its card: make push REPO=user/name RUN=folder
	@$(CLIR) push $(DISTILLED) --repo $(REPO) $(ARGS)

# A language must be there before anything slow begins.
checked: language ready built
	@$(CLIR) collection check $(COLLECTION) --languages $(LANG)

# The starter's encoder is every experiment's default, whatever the collection.
built: ready
	@$(CLIR) collection build starter --quiet

repo:
	@echo 'make: which repository on the Hugging Face hub? such as: make push REPO=user/name RUN=folder' >&2; exit 1

language:
ifndef LANGUAGE_GIVEN
	@echo 'make: which language? say it on the command line, such as: make $(firstword $(MAKECMDGOALS)) LANG=yo' >&2; exit 1
endif

# Only where there is no teacher: `make teacher` is the target that looks whether an existing one is up to date.
$(TEACHER)/encoder/modules.json: | ready
	@$(call FIT,experiments/teacher.yaml) --run $(TEACHER) --wait true
