# Everything runs in .venv; `make demo` and `make test` set it up themselves.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := false
export BENTOML_DO_NOT_TRACK := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false
INSTALL := .venv/bin/python -m pip install -qq --disable-pip-version-check

.PHONY: demo docs test evidence quality language peers stale soak bench scale lint setup lock ui serve
setup: .venv/.installed
.venv/.pipeline: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	@echo "Installing what the pipeline needs into .venv, by the versions of requirements.lock ..."
	$(INSTALL) -c requirements.lock setuptools
	$(INSTALL) -c requirements.lock --no-build-isolation -e ".[pipeline]"
	touch $@
.venv/.installed: .venv/.pipeline
	@echo "Installing the rest of requirements.lock into .venv ..."
	$(INSTALL) -r requirements.lock
	touch $@

lock:  ## re-resolve requirements.lock (needs uv); torch keeps no local version so that pip takes the build that fits
	uv pip compile pyproject.toml --all-extras --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
	  | sed -E 's/^(torch==[0-9.]+)\+.*/\1/; /^(nvidia-c|nvidia-n[cv]|cuda-|triton)/d' > requirements.lock

demo: .venv/.pipeline  ## fetch MovieLens-100K, run the whole pipeline, show a user's tiers and recommendations
	strata data fetch movielens-100k
	dvc repro
	python -m tasks.validate --docs reports/data-docs
	strata user
	strata next

test: setup  ## lint, types, import contract, then every test
	$(MAKE) --no-print-directory lint
	OMP_NUM_THREADS=1 pytest -n logical --no-loadscope-reorder  # a process a core; threads on data this small would only wait

evidence: setup  ## measure the tiers on simulated users, Complete Journey and MovieLens (after `make demo`): docs/evidence
	python -m benchmarks.evidence

quality: setup  ## measure recommendations against tuned baselines (after `make demo`; an hour or more): docs/evidence
	python -m benchmarks.quality

language: setup  ## measure what is understood of words and said in words (after `make demo`): docs/evidence
	python -m benchmarks.language

peers: setup  ## train RecBole's models in an environment of their own on the leave-one-out split, then compare
	python -m benchmarks.quality.split .workspaces/quality/leave-one-out/split
	python -m benchmarks.peers .workspaces/quality/leave-one-out/split --output .workspaces/quality/peers
	python -m benchmarks.quality --only leave-one-out

stale: setup  ## measure again what of docs/evidence is of older code (listed by python -m benchmarks.evidence --list)
	python -m benchmarks.evidence --stale

soak: setup  ## serve under faults (after `make demo`; nine minutes): swaps, killed encoders, a journal that stops, damaged releases
	python -m benchmarks.service --only soak,damage

bench: setup  ## measure how fast the service answers and keeps, beside its peers (after `make demo`): docs/evidence
	python -m benchmarks.service --only speed,events,fairness

scale: setup  ## measure every stage on a made data set of 100,000 users (an hour or more): docs/evidence
	python -m benchmarks.made.scale

docs: setup  ## fill in what README and docs show, from the release of `make demo`
	python -m benchmarks.shown

lint: setup
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache

ui: setup  ## Prefect server, UI and schedules on http://127.0.0.1:4200
	python -m flows.serve

serve: setup  ## build the Bento of artifacts/release and serve it on http://127.0.0.1:3000; shows a token the first time
	STRATA_CLOCK=data python -m services.serve --release artifacts/release
