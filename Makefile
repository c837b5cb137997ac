# Every target runs from nothing but Debian or Ubuntu with Python 3.11+, make and git.
SHELL := /bin/sh
PY := .venv/bin/python
SECONDS ?= 0
.DEFAULT_GOAL := help
.PHONY: help install lock demo picture test faults properties smoke asterisk node bench lint types arch contracts ci clean

help: ## what there is
	@sed -n 's/^\([a-z]*\):[^#]*## /\1 /p' Makefile | awk '{ n = $$1; $$1 = ""; printf "  make %-10s%s\n", n, $$0 }'

install: .venv/installed ## .venv with everything, from the hash-locked requirements

.venv/installed: requirements/dev.txt pyproject.toml deploy/dev/prerequisites.sh
	@sh deploy/dev/prerequisites.sh
	@test -x $(PY) || { echo "making .venv"; python3 -m venv .venv; }
	@echo "installing $$(grep -c == requirements/dev.txt) locked packages into .venv (about a minute the first time)"
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: install ## everything on this machine, with two PBXs played from recordings (SECONDS=30 ends by itself)
	@exec $(PY) -m legbook.demo --seconds $(SECONDS)

picture: install ## docs/images/demo.svg: what the demo shows
	@exec $(PY) -m legbook.demo --picture docs/images/demo.svg

test: install ## all tests, on a real Kafka, MariaDB and ClickHouse
	@exec $(PY) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

faults: install ## kill -9, SIGTERM, SIGSTOP of every service and server under load, a line each (twenty minutes; FAULTS_SEED)
	@exec $(PY) -m pytest -q -m faults tests/faults tests/e2e

properties: install ## every cut of every recording, and what must hold there (five minutes)
	@LEGBOOK_PROPERTIES=all exec $(PY) -m pytest -q -n 2 tests/properties --timeout 900

smoke: install ## one call through everything, checked; ends by itself
	@exec $(PY) -m legbook.demo.smoke

asterisk: install ## against a real Asterisk 22 (skipped with a reason where it cannot be fetched)
	@exec $(PY) -m pytest -m asterisk tests/asterisk

node: install ## the examples in JavaScript of docs/how-to (skipped with a reason where Node or its packages are missing)
	@exec $(PY) -m pytest -m node tests/docs

bench: install ## how fast, as ratios to a baseline of the same run (some minutes; SMOKE=1: only whether it works)
	@exec $(PY) -m tests.benchmarks $(if $(SMOKE),--smoke)

lint: install ## ruff
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: install ## mypy --strict
	@$(PY) -m mypy

arch: install ## who may import whom
	@.venv/bin/lint-imports

contracts: install ## write contracts/ and docs/reference/ from the code
	@$(PY) -m legbook.contracts.generate
	@.venv/bin/legbook reference

ci: lint types arch ## what CI runs
	@$(PY) -m legbook.contracts.generate --check
	@.venv/bin/legbook reference --check
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory smoke

lock: install ## renew requirements/*.txt
	@sh requirements/lock.sh

clean: ## remove .venv and the data of the demo
	rm -rf .venv .demo .legbook
