# Two commands: `make run` installs everything and starts the app, `make test` passes the tests.

PORT ?= 8501
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto
NEW_EXAMPLES ?= 1000

# The tests start many processes, and each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

SITE ?= localhost
SECRETS := deploy/secrets

.PHONY: run up test test-long attack check types lint format imports site audit lock

run: $(VENV)/.run-installed
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT))).close()' 2>/dev/null || { \
		echo "Port $(PORT) is in use. Choose another one: make run PORT=$$(($(PORT) + 1))"; exit 1; }
	@$(BIN)/streamlit run app.py --server.port $(PORT)

# Two replicas, PostgreSQL and a proxy with TLS in containers (docs/deploy.md). The folder keeps others of this machine
# from the secrets; within a container its user has to read them.
up:
	@umask 077 && mkdir -p $(SECRETS) && cd $(SECRETS) && for name in database_password cookie_secret; do \
		test -s $$name || head -c 32 /dev/urandom | od -A n -t x1 | tr -d ' \n' > $$name; done && \
		{ test -s tempera.toml || cp ../secrets.example.toml tempera.toml; } && chmod 644 *
	SITE=$(SITE) docker compose -f deploy/compose.yaml up --build --detach

# Tests of time (the marker clock) run one after the other when nothing else does; the others share the processors.
# Their files are named because collecting all tests takes as long as a third of them.
CLOCK_FILES = $(shell grep -lr --include='test_*.py' 'mark\.clock' tests)
# Most of what the tests write is a log, written through at every turn: in memory that takes no time.
SCRATCH := $(shell [ "$$(df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 {print $$4}')" -gt 8000 ] 2>/dev/null && echo /dev/shm || echo $${TMPDIR:-/tmp})
WHOLLY_CLOCK = $(shell grep -lrE --include='test_*.py' '^pytestmark = pytest\.mark\.clock$$' tests)
SHARED = -n $(WORKERS) --dist loadgroup --no-loadscope-reorder $(addprefix --ignore=,$(WHOLLY_CLOCK))

test: $(VENV)/.test-installed check
	@tests/install-chromium
	@folder=$$(mktemp -d -p $(SCRATCH)) && tests/with-postgresql sh -c "\
		$(BIN)/python -m pytest -rs $(SHARED) -m 'not clock and not long' --basetemp=$$folder/shared; shared=\$$?; \
		$(BIN)/python -m pytest -rs -m 'clock and not long' --basetemp=$$folder/clock $(CLOCK_FILES) && exit \$$shared" && \
		$(BIN)/python tests/check-canary $$folder && rm -rf $$folder

# What takes long: kill loops, soaks, large bombs, all faults under TLS, and new examples of each property. 10,000 of them
# take more than an hour of two processors.
test-long: $(VENV)/.test-installed
	@tests/install-chromium
	@NEW_EXAMPLES=$(NEW_EXAMPLES) tests/with-postgresql \
		$(BIN)/python -m pytest -rs -n auto --dist loadgroup -m 'long or hypothesis' --timeout 7200

# The largest texts against a demo that runs: what they cost its memory, and another visitor.
attack: $(VENV)/.test-installed
	@$(BIN)/python -m tests.benchmarks.attack

# Side by side: the types take most of the time.
check: $(VENV)/.test-installed
	@$(MAKE) --no-print-directory --jobs=4 --output-sync=target types lint format imports

types lint format imports: $(VENV)/.test-installed
# On a busy machine mypy's workers may begin too late for it, which ends it with 2: then it does without them.
types:
	$(BIN)/mypy --num-workers auto || { [ $$? = 2 ] && $(BIN)/mypy; }
lint:
	$(BIN)/ruff check .
format:
	$(BIN)/ruff format --check .
imports:
	$(BIN)/lint-imports

# The documentation with a search, in site/.
site: $(VENV)/.test-installed
	@PYTHON=$(BIN)/python deploy/build-site site

# Needs uv, which fetches pip-audit, and asks a service on the internet; so no other target waits for it.
audit:
	uvx pip-audit --require-hashes --disable-pip -r requirements.txt

# Needs uv. The locks hold for every Python and system that pyproject.toml admits.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -q -o requirements.txt
	uv pip compile pyproject.toml --group test --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -q -o tests/requirements.txt
	echo "psycopg[binary]>=3.2" | uv pip compile - --universal --python-version 3.11 --generate-hashes --constraint tests/requirements.txt --no-annotate --custom-compile-command "make lock" -q -o deploy/requirements.txt

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { \
		echo "Tempera needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run-installed: requirements.txt $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.test-installed: tests/requirements.txt $(VENV)/.run-installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
