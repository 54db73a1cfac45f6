# Everything needs only git, make and Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test test-all check format lock clean

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

# The main job on the national example; leaves demo/round.xlsx and demo/plan.xlsx to open.
demo: $(READY)
	mkdir -p demo
	$(RUN)/optalloc new demo/round.xlsx --example national --force
	$(RUN)/optalloc solve demo/round.xlsx -o demo/plan.xlsx --force
	$(RUN)/optalloc verify demo/round.xlsx demo/plan.xlsx

test: check
	$(RUN)/pytest -n 2 -m "not slow"

# The slow proofs too.
test-all: check
	$(RUN)/pytest -n 2

check: $(READY)
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

format: $(READY)
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

# Needs uv; the lock holds the hash of every file that may be installed.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --custom-compile-command "make lock" -q -o requirements.lock

clean:
	rm -rf $(VENV) demo
