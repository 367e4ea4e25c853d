# Needs make and a Python of at least 3.10; everything else goes into .venv.
.DEFAULT_GOAL := help
.PHONY: help check test demo docs lock integration servers operations clean

PYTHON ?= python3
VENV := .venv

# Where pyenv keeps Pythons, tox shall find them, whichever of them is the active one.
# They come last on PATH: a `python3` that is there already stays the one that is meant.
PYENV_BINS := $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1*/bin)
empty :=
space := $(empty) $(empty)
WITH_PYTHONS := PATH="$$PATH$(if $(PYENV_BINS),:$(subst $(space),:,$(strip $(PYENV_BINS))))"

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

test: $(VENV)/tox ## run everything a change must pass, side by side; TOX="-e lint" runs a part
	@rm -rf reports && mkdir reports
	@$(WITH_PYTHONS) $(VENV)/bin/tox run-parallel --parallel auto --parallel-no-spinner --result-json reports/tox.json $(TOX)

check: $(VENV)/tox ## lint, types, and one case of each test on one Python, in a few minutes: for the working loop
	@$(WITH_PYTHONS) $(VENV)/bin/tox run-parallel --parallel auto --parallel-no-spinner -e lint,types,check

demo: $(VENV)/tox ## show what comes out, with an application and a model server on loopback
	@$(WITH_PYTHONS) $(VENV)/bin/tox -q run -e demo

integration: $(VENV)/tox $(if $(SERVERS),servers) ## call real model servers on loopback, those that are there; SERVERS="llama litellm" installs them first
	@$(WITH_PYTHONS) $(VENV)/bin/tox run -e integration $(TOX)

servers: $(VENV)/tox ## say which real servers are there and what each takes; SERVERS="llama vllm" installs them
	@$(WITH_PYTHONS) PYTHONPATH=tests/integration $(VENV)/bin/python -m servers $(SERVERS)

operations: $(VENV)/tox ## check deploy and dashboards with real programs, built by Go the first time (15 minutes), and show what was proven
	@mkdir -p reports
	@$(WITH_PYTHONS) $(VENV)/bin/tox run --result-json reports/operations.json -e operations $(TOX)

docs: $(VENV)/tox ## build the documentation as a site, into the folder `site`
	@$(WITH_PYTHONS) $(VENV)/bin/tox -q run -e site

clean: ## remove what the other targets made
	rm -rf $(VENV) .tox reports dist site

lock: $(VENV)/tox ## write the versions that all of these install into `locks`; UPGRADE=1 takes what is newest
	@$(WITH_PYTHONS) $(VENV)/bin/tox run -e lock $(if $(UPGRADE),-- --upgrade)

# One file for each thing that was installed; a change of what it is made from installs again.
$(VENV)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	  echo "This needs Python 3.10 or newer, but '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Try 'make PYTHON=python3.12 ...'." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/tox: $(VENV)/pip locks/tox.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement locks/tox.txt
	@touch $@
