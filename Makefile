.DEFAULT_GOAL := help
.PHONY: help demo test test-other fuzz installed bench bench-kafka bench-audit compare tamper record-history lint types lock clean soak-kills soak-kills-kafka simulate mutants kafka-up kafka-down demo-kafka asyncapi
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.venv/.ready: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: .venv/.ready ## Set up and play the main job; leaves demo-exchange/ to play with
	$(BIN)/sarakste demo demo-exchange

test: .venv/.ready ## Set up and run all tests, on all processors, and say how far they cover the rules
	$(BIN)/python -m tests.sharing --coverage
	$(BIN)/coverage report --include='services/wire/*' --fail-under=95
	$(BIN)/coverage report --include='services/school/domain/*,services/commission/domain/*' --fail-under=95
	$(BIN)/coverage report --include='services/policy/*' --fail-under=100

test-other: ## Run all tests on Python 3.13 too, where it is there
	.ci/test-other 3.13

fuzz: .venv/.ready ## Fuzz what strangers and clerks can send: SECONDS= or RUNS= a target (60 seconds), TARGET= for one alone
	$(BIN)/python -m tests.fuzz.run $(if $(TARGET),--target $(TARGET)) $(if $(RUNS),--runs $(RUNS)) $(if $(SECONDS),--seconds $(SECONDS))

simulate: .venv/.ready ## Play an exchange under faults: SEEDS=100000 from FIRST=0 on, or SEED=7 alone with its trace
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --first $(or $(FIRST),0))

.venv-mutants/.ready: requirements/mutants.txt pyproject.toml
	$(PYTHON) -m venv .venv-mutants
	.venv-mutants/bin/pip install --quiet --require-hashes -r requirements/mutants.txt
	touch $@

mutants: .venv-mutants/.ready ## Change the rules one by one, and see whether a test notices (GROUP=wire, policy or post for one alone; long)
	.venv-mutants/bin/python -m tests.mutation.run $(GROUP)

installed: ## Install into an empty environment, hashes checked, and work from another folder
	.ci/installed $(PYTHON)

soak-kills: .venv/.ready ## Kill processes of an exchange at work, N times (N=10000 SEED=1), and check that nothing is lost
	$(BIN)/python -m tests.kills --kills $(or $(N),1000) --seed $(or $(SEED),1)

soak-kills-kafka: .venv/.ready ## The same over a broker of its own, which is killed too (N=300 SEED=1)
	$(BIN)/python -m tests.kills --cluster --kills $(or $(N),300) --seed $(or $(SEED),1)

bench: .venv/.ready ## Print ratios of our paths against bare primitives
	$(BIN)/python -m tests.bench.run

bench-kafka: .venv/.ready ## Print what the exchange costs over a real broker, beside what its parts cost bare (three minutes)
	$(BIN)/python -m infra.kafka fetch
	$(BIN)/python -m tests.bench.kafka

bench-audit: .venv/.ready ## Print what verifying, replaying and asking an archive costs, beside its parts bare, with peaks (SIZE=1000000)
	SIZE=$(SIZE) ARCHIVE=$(ARCHIVE) $(BIN)/python -m tests.bench.audit

tamper: .venv/.ready ## Harm RUNS logs of 10,000 entries, from FIRST=0 on, in every way there is, and verify them and as many honest ones
	$(BIN)/python -m tests.tamper --runs $(or $(RUNS),100) --first $(or $(FIRST),0)

record-history: .venv/.ready ## Record what this version, while it is not released, leaves behind for later ones to read
	$(BIN)/python -m tests.histories

asyncapi: .venv/.ready ## Make schemas/asyncapi.json anew, the map of the wire for tools
	$(BIN)/python -m infra.asyncapi

compare: .venv/.ready ## Compare both readers over harmed logs (SEEDS=5000)
	$(BIN)/python -m tests.compare_readers $(or $(SEEDS),5000)

kafka-up: .venv/.ready ## Start a Kafka broker of one's own (NODES=3 for three), over TLS; its files are fetched once from Maven Central
	$(BIN)/python -m infra.kafka up --nodes $(or $(NODES),1)

kafka-down: .venv/.ready ## End the brokers of kafka-up
	$(BIN)/python -m infra.kafka down

demo-kafka: .venv/.ready ## Play the main job over a broker that is begun anew; it runs on until kafka-down
	$(BIN)/python -m infra.kafka down
	$(BIN)/python -m infra.kafka up
	$(BIN)/sarakste demo demo-exchange-kafka --cluster .kafka/cluster
	@echo "The broker runs on; make kafka-down ends it."

lint: .venv/.ready ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready ## Check types, strictly
	$(BIN)/mypy

lock: .venv/.ready ## Make the lock files anew from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade pyproject.toml --extra build -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade pyproject.toml --extra build --extra dev -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade pyproject.toml --extra build --extra dev --extra mutants -c requirements/dev.txt -o requirements/mutants.txt

clean: ## Remove what was made
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .fuzz .mutants dist
