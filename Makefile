# Everything a person or CI does here. `make help` lists it.

# Passed on to `swift build` and `swift test`, for example SWIFT_FLAGS=--verbose.
SWIFT_FLAGS ?=
# Only the tests whose names match: make test FILTER=StorageTests
FILTER ?=
# How many random lives, and how many rounds of killed instances, `make torture` makes.
LIVES ?= 1000
ROUNDS ?= 20
# Which points `make bench` measures, all if empty, and by how much its big sizes are multiplied.
ONLY ?=
SCALE ?= 1
# Passed on to the program: make run ARGS=--no-migrate
ARGS ?=

program = .build/debug/selextract-billing

.DEFAULT_GOAL := help
.PHONY: help run demo test test-console check torture bench mutants build release lint format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## install what is missing, build, and serve on SQLite in this folder
	@.ci/install build
	@swift build --product selextract-billing $(SWIFT_FLAGS)
	@.ci/secret
	@exec $(program) serve $(ARGS)

demo: ## build, and show everything at once: scenarios replayed into a throw-away database
	@.ci/install build
	@swift build --product selextract-billing $(SWIFT_FLAGS)
	@$(program) demo

test: ## install what is missing, and run all tests beside a PostgreSQL of their own (FILTER=…)
	@.ci/install test
	@swift build --build-tests $(SWIFT_FLAGS)
	@.ci/with-postgres swift test --skip-build $(SWIFT_FLAGS) $(if $(FILTER),--filter '$(FILTER)')

test-console: ## the console alone, in a real browser; pictures in .build/console
	@.ci/install test
	@swift build --build-tests $(SWIFT_FLAGS)
	@.ci/with-postgres swift test --skip-build $(SWIFT_FLAGS) --filter 'Browser\.'

check: lint test ## what has to pass before a change lands: the style, and all tests

torture: ## random lives and killed instances in large numbers (LIVES=…, ROUNDS=…, SEED=…)
	@.ci/install test
	@swift build --build-tests $(SWIFT_FLAGS)
	@LIVES=$(LIVES) ROUNDS=$(ROUNDS) $(if $(SEED),SEED=$(SEED)) .ci/with-postgres \
		swift test --skip-build $(SWIFT_FLAGS) --filter 'LifeTests|InstancesTests|DatabaseKillTests|StuckTests'

bench: ## the release build measured beside its peers, up to 20 minutes: .build/bench.md (ONLY=…, SCALE=…)
	@.ci/install bench
	@swift build -c release --product selextract-billing $(SWIFT_FLAGS)
	@swift build -c release --product bench $(SWIFT_FLAGS)
	@ONLY='$(ONLY)' SCALE='$(SCALE)' POSTGRES_SETTINGS=default .ci/with-postgres .build/release/bench

mutants: ## deliberately wrong variants of the rules: a test has to catch each (MUTANTS=…, beginnings of names)
	@.ci/install test
	@.ci/mutants $(MUTANTS)

build: ## build for debugging
	@.ci/install build
	@swift build $(SWIFT_FLAGS)

release: ## build for production: .build/release/selextract-billing
	@.ci/install build
	@swift build -c release --product selextract-billing $(SWIFT_FLAGS)

lint: ## check the style, and that each wrong variant still fits the sources
	@.ci/lint

format: ## put the style right, as far as a program can
	@swift format --in-place --parallel --recursive Sources Tests Package.swift

clean: ## remove what was built
	@swift package clean
