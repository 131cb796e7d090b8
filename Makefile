# Everything runs in .venv; `make demo` and `make test` set it up themselves.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := false
export BENTOML_DO_NOT_TRACK := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false

.PHONY: demo test lint setup lock
setup: .venv/.installed
.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --progress-bar=off -r requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

lock:  ## re-resolve requirements.lock (needs uv); torch keeps no local version so that pip takes the build that fits
	uv pip compile pyproject.toml --all-extras --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
	  | sed -E 's/^(torch==[0-9.]+)\+.*/\1/; /^(nvidia-c|nvidia-n[cv]|cuda-|triton)/d' > requirements.lock
