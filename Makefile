# Two commands do everything on a fresh machine:
#   make run     set up .venv, install, run the default scenario (no server needed)
#   make test    set up .venv, install, pass every check and test
#
# And what shows that nothing is lost (RELIABILITY.md):
#   make simulate SEEDS=20000    campaigns in virtual time among faults, one a seed
#   make crash                   kill at every line, fail every call, cut the power at every write
#   make soak                    200,000 messages with faults; make kills: real SIGKILLs
#   make planted                 deliberate bugs, each found by the suite
#   make fuzz coverage           a million mutated messages; every branch of what all stands on
#   make docs                    the site of the documents, into build/site
#   make dist                    wheel and sdist into dist/, tried in a fresh environment from another folder
#
#   make goldens VENV=.venv-newest PYTHON=python3.13    replay the golden recordings on another Python
#
#   make published               the paper's figures beside ours, and the time of a campaign (tables in ../shared/data)
#   make does-it-work            policies on real tables, hours; and the page of the documents made of it

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
TEST_READY := $(VENV)/.test-ready

SEEDS ?= 300
# How many of the slowest tests `make test` names at its end.
SLOWEST ?= 10
# Processes that run tests: twice the cores, for many a test waits for others; each takes up to 0.8 GB.
WORKERS ?= $(shell python3 -c 'import os; print(min(2 * (os.cpu_count() or 1), 8))')
MESSAGES ?= 200000

.PHONY: run test check goldens bench published does-it-work simulate crash kills soak fuzz planted coverage usual-way docs dist clean

run: $(RUN_READY)
	$(BIN)/entropilot run emt_alloys

# A thread for each process: the workers share the cores, and threads of linear algebra that wait for each other burn them.
test goldens coverage: export OMP_NUM_THREADS := 1
test goldens coverage: export OPENBLAS_NUM_THREADS := 1
# Hundreds of processes start: compiled modules are kept also where the environment says not to (empty says nothing).
test goldens coverage: export PYTHONDONTWRITEBYTECODE :=

test: check
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations=$(SLOWEST)

check: $(TEST_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/entropilot schema --check

bench: $(TEST_READY)
	$(BIN)/python -m tests.benchmarks.imports
	$(BIN)/python -m tests.benchmarks.iteration_overhead
	$(BIN)/python -m tests.benchmarks.loop_throughput
	$(BIN)/python -m tests.benchmarks.loop_lag
	$(BIN)/python -m tests.benchmarks.bias_meter
	$(BIN)/python -m tests.benchmarks.default_run
	$(BIN)/python -m tests.benchmarks.restart
	$(BIN)/python -m tests.benchmarks.replay
	$(BIN)/python -m tests.benchmarks.acquisition_scaling --quick
	$(BIN)/python -m tests.benchmarks.policy_speed
	$(BIN)/python -m tests.benchmarks.lab
	$(BIN)/python -m tests.benchmarks.lab.cluster
	$(BIN)/python -m tests.benchmarks.lingam
	$(BIN)/python -m tests.benchmarks.reading.tables
	$(BIN)/python -m tests.benchmarks.reading.structures
	$(BIN)/python -m tests.benchmarks.watch.painting
	$(BIN)/python -m tests.benchmarks.watch.viewers

published: $(TEST_READY)
	$(BIN)/python -m tests.benchmarks.etal_campaign
	$(BIN)/python -m tests.benchmarks.published_figures
	$(BIN)/python -m tests.benchmarks.causal_paper

does-it-work: $(TEST_READY)
	$(BIN)/python -m tests.benchmarks.real_tables --quiet
	$(BIN)/python -m tests.benchmarks.real_tables --quiet --start random
	$(BIN)/python -m tests.benchmarks.real_tables --quiet --noise 0.1
	$(BIN)/python -m tests.benchmarks.real_tables --quiet --parallel 1
	$(BIN)/python -m tests.benchmarks.real_tables.page

simulate: $(TEST_READY)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --jobs 2

crash: $(TEST_READY)
	$(BIN)/python -m tests.crash.kill_points --every --jobs 2
	$(BIN)/python -m tests.crash.kill_points --every --recovery --jobs 2
	$(BIN)/python -m tests.crash.failing_calls --jobs 2
	$(BIN)/python -m tests.crash.flipped_bytes --sample 40 --jobs 2
	$(BIN)/python -m tests.crash.powercut --images 100000 --jobs 2

kills: $(TEST_READY)
	$(BIN)/python -m tests.endurance.kill_loops --agent 200 --simulator 100 --broker 50
	$(BIN)/python -m tests.endurance.postgres.kills --kills 60
	$(BIN)/python -m tests.endurance.clusters.kills --each 20

soak: $(TEST_READY)
	$(BIN)/python -m tests.endurance.soak --messages $(MESSAGES)

usual-way: $(TEST_READY)
	$(BIN)/python -m tests.endurance.usual_way

fuzz: $(TEST_READY)
	$(BIN)/python -m tests.property.fuzz --messages 1000000 --jobs 2

planted: $(TEST_READY)
	$(BIN)/python -m tests.planted

goldens: $(TEST_READY)
	$(BIN)/python -m pytest tests/replay -n 2

docs: $(TEST_READY)
	$(BIN)/python -m tests.support.documents.reference --check
	$(BIN)/python -m tests.support.documents.site

dist: $(TEST_READY)
	$(BIN)/python -m pytest tests/system/test_wheel.py -n 0
	$(BIN)/python -m build --no-isolation

coverage: $(TEST_READY)
	$(BIN)/python -m pytest tests/unit tests/contract tests/property tests/system/processes tests/system/postgres --ignore tests/property/test_fuzz.py -n 2 --cov

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than Python 3.11. What to do: install a newer Python, then make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "error: this Python cannot make virtual environments. What to do: on Debian, apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip

$(RUN_READY): $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(TEST_READY): $(RUN_READY)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@
