# The only thing needed beforehand is Python 3.11 or newer: `make test` and `make book` set up the rest.
PYTHON ?= python3
WORKERS ?= 2
DCL_PROFILE ?= standard
GRID ?= celeba-30k
JOBS ?= 1
DATA ?=
TABLE ?=
DRY ?=
MS ?=
WEIGHTS ?=
PRECISION ?=
CONSTRAINTS ?= constraints.txt

VENV := .venv
READY := $(VENV)/.ready
PY := $(VENV)/bin/python
LOG := _build/setup.log
FREE_KB := 8388608
# What Python compiles of torch and the others stays in .venv, whatever the environment says: else each
# of some hundred processes compiles it again, which doubles the time until torch is imported.
unexport PYTHONDONTWRITEBYTECODE
UNREACHABLE := Retrying|NewConnectionError|ConnectionError|Max retries exceeded|ReadTimeout|ProxyError|SSLError

.PHONY: help setup test test-long types book pdf check-book results paper archive bench clean distclean

help:  ## list the targets (this text)
	@awk -F ':.*## +' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv, with everything that tests and book need

test: setup  ## lint, unit and property tests, doctests, and every notebook on its quick profile
	$(PY) -m ruff check .
	$(PY) -m ruff format --check dcl book tests
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=3
	OMP_NUM_THREADS=1 DCL_PROFILE=quick $(PY) -m pytest --nbval-lax --nbval-current-env \
	  -n $(WORKERS) --dist loadfile notebooks
	@echo "make test: everything passed"

test-long: setup  ## the unit tests alone, with 200 random examples of each property
	OMP_NUM_THREADS=1 DCL_HYPOTHESIS=long $(PY) -m pytest -n $(WORKERS) --dist loadfile

book: setup  ## execute the notebooks and build the book; prints the page to open
	$(PY) book/build.py --profile $(DCL_PROFILE)

pdf: setup  ## print the built book as one PDF; needs Chromium
	$(PY) book/pdf.py

check-book: pdf  ## print the built book as a PDF, and test both in headless Chromium
	OMP_NUM_THREADS=1 DCL_CHECK_BOOK=1 $(PY) -m pytest -n $(WORKERS) --dist loadfile \
	  tests/book/test_browser.py tests/book/test_pdf.py tests/book/test_scores_page.py

# One run at a time has all cores; several at once have one torch thread each.
results: setup  ## make the records of a grid: GRID=celeba-30k JOBS=1 DATA=folder; again: goes on
	@cpus=$$([ '$(JOBS)' = 1 ] && getconf _NPROCESSORS_ONLN || echo 1); \
	$(PY) -m snakemake --cores $$(($(JOBS) * cpus)) --keep-going --keep-incomplete \
	  --rerun-incomplete --nolock --quiet rules host \
	  --config grid='$(GRID)' threads=$$cpus $(if $(DATA),data_root='$(DATA)') $(if $(WEIGHTS),weights='$(WEIGHTS)') \
	  $(if $(PRECISION),precision='$(PRECISION)')

PLAN = '$(TABLE)' $(if $(DATA),--data-root '$(DATA)') $(if $(WEIGHTS),--weights '$(WEIGHTS)') \
  $(if $(MS),--ms-per-step '$(MS)')
paper: setup  ## a table at the paper's size: TABLE=2 DATA=folder; DRY=1: only its runs and hours
	@$(if $(DATA)$(DRY),,echo "make paper needs DATA=folder, or DRY=1 to see runs and hours" >&2; exit 2)
	@$(PY) notebooks/grids/paper/plan.py $(PLAN)
	@$(if $(DRY),,$(MAKE) --no-print-directory results GRID=paper/table$(if $(filter 5 6,$(TABLE)),5_6,$(TABLE)))

archive: setup  ## repository, records, weights, built book and PDF in one file with a manifest
	$(PY) book/archive.py

types: setup  ## check the type hints of the package, with mypy
	$(PY) -m mypy

bench: setup  ## time one training step with and without DCL
	$(PY) -m dcl_book.bench

clean:  ## remove what was built and cached; never data/, results/ or .venv
	rm -rf _build .pytest_cache .ruff_cache .hypothesis .ipynb_checkpoints notebooks/.ipynb_checkpoints
	find book dcl notebooks tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove .venv too
	rm -rf $(VENV) *.egg-info

# A missing or broken .venv is made anew; a working one is kept, and pip only confirms what is in it.
$(PY):
	@command -v $(firstword $(PYTHON)) >/dev/null || \
	  { echo "make setup: '$(PYTHON)' is not installed; Python 3.11 or newer is needed" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make setup: '$(PYTHON)' is $$($(PYTHON) -V 2>&1), but Python 3.11 or newer is needed:" \
	    "make setup PYTHON=python3.11" >&2; exit 1; }
	@df -Pk . | awk 'NR == 2 { exit $$4 < $(FREE_KB) }' || \
	  { df -Pk . | awk 'NR == 2 { printf "make setup: only %.1f GB are free here, " \
	    "about 8 GB are needed for .venv\n", $$4 / 1048576 }' >&2; exit 1; }
	@mkdir -p $(dir $(LOG))
	@$(PYTHON) -m venv --clear $(VENV) >$(LOG) 2>&1 || \
	  { rm -rf $(VENV); echo "make setup: '$(PYTHON) -m venv' failed, see $(CURDIR)/$(LOG)" >&2; exit 1; }

# What is installed: environment.yml has the same words for conda.
INSTALL := -c $(CONSTRAINTS) -e '.[book,test,grid,bench,parquet,trainers]' -e ./book
# By uv, in a fifth of pip's time; by pip where uv cannot be had or does not know the way to the
# index, which pip may have from a pip.conf.
$(READY): pyproject.toml book/pyproject.toml $(CONSTRAINTS) | $(PY)
	@mkdir -p $(dir $(LOG))
	@echo "Installing into $(VENV): a minute or more, about 6 GB (log: $(LOG))"
	@{ $(PY) -m pip install -c $(CONSTRAINTS) uv && \
	  $(VENV)/bin/uv pip install --python $(PY) $(INSTALL); } >$(LOG) 2>&1 || \
	$(PY) -m pip install $(INSTALL) >>$(LOG) 2>&1 || \
	  { if grep -q 'No space left' $(LOG); then reason="the disk is full"; \
	    elif grep -qE '$(UNREACHABLE)' $(LOG); then reason="the package index cannot be reached"; \
	    else reason="$$(grep -m 1 -E '^ *ERROR|No module named pip' $(LOG))"; fi; \
	    echo "make setup: pip could not install: $$reason (log: $(CURDIR)/$(LOG))" >&2; exit 1; }
	@touch $@
