# The two commands that a fresh machine needs are `make repro` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

LIBRARIES := libgit2-dev libyaml-dev libsqlite3-dev libssl-dev libxgboost-dev
TOOLS := pkg-config git python3 curl ca-certificates
FLAGS := -c release --static-swift-stdlib
# The linker warns of functions of Foundation that a static program should not call; ours do not.
QUIETLY := 2>&1 | { grep -vE "^$$|statically linked applications|use of .mktemp. is dangerous" || true; }
BIN := .build/release
PORT ?= 8080

.PHONY: help packages build repro test lint bench dist clean

help:
	@echo "make repro   install what is missing, build, run the pipeline, serve one prediction"
	@echo "make test    install what is missing, build, run the tests"
	@echo "make lint    check the format of the sources"
	@echo "make bench   measure against the peers (see Benchmarks/)"
	@echo "make dist    write build/pipe-<version>-linux-x86_64.tar.gz"

packages:
	@make/install-packages $(LIBRARIES) $(TOOLS)
	@command -v swift >/dev/null || { echo "error: there is no Swift 6.1 or later on this machine" >&2; \
	  echo "hint: https://www.swift.org/install/linux has it for Debian 12" >&2; exit 2; }

build: packages
	@for product in pipe pipe-kit pipe-serve; do \
	  echo "building $$product"; swift build $(FLAGS) --product $$product -q $(QUIETLY); done

repro: build
	@$(BIN)/pipe repro --jobs 2
	@make/served-prediction $(BIN)/pipe $(PORT)
	@echo "the report is $(CURDIR)/reports/index.html"

test: packages
	@swift build --build-tests -q $(QUIETLY)
	@swift test --skip-build --skip ServingTests
	@# Apart from the others, which block threads that its sockets with their deadlines need.
	@swift test --skip-build --filter ServingTests

lint: packages
	@swift format lint --strict --recursive Sources Tests Package.swift
	@make/check-text

dist: build
	@make/dist $(BIN)

bench: build
	@for script in Benchmarks/*/run; do echo "== $$script"; "$$script" $(BIN); done

clean:
	rm -rf .build build
