# make            builds: release binaries where SwiftPM puts them, and beside them what they look for
# make help       lists the targets
#
# `make demo` and `make test` each work as the only command on a fresh machine that has a Swift toolchain:
# every target first sees to its own dependencies (ops/ci/deps.sh, a few milliseconds when all is there).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := build

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
DEPS := ops/ci/deps.sh

# The statically linked Swift runtime is what makes the binaries start in 1 ms and run without a toolchain. Nothing is
# looked for beside them: that costs each start a dozen system calls, and whoever can write there decides what is run.
RELEASE_FLAGS := -c release --static-swift-stdlib --disable-local-rpath
# Where the compiler's memory lies decides, once in some builds, in which order it takes things: without that the same
# sources give the same program each time. Some containers do not allow it.
FIXED_ADDRESSES := $(shell setarch --addr-no-randomize true 2>/dev/null && echo setarch --addr-no-randomize)
BIN := .build/release
PROGRAMS := domed dome domed-keeper domed-worker

# Where SwiftPM links, also before it has made BIN.
SWIFT_RELEASE_DIR := .build/$(shell uname -m)-unknown-linux-gnu/release

# Host programs look for ../lib/dome/plugins and ../share/dome/registry relative to themselves; .build/release
# is a link to .build/<triple>/release, so <triple> is the prefix of the tree that `make build` lays out.
TRIPLE_DIR = $(shell readlink -f $(BIN))/..

## help: this list
.PHONY: help
help:
	@awk -F': ' '/^## /{printf "make %-8s %s\n", substr($$1, 4), $$2}' $(firstword $(MAKEFILE_LIST))

## deps: installs what build, test and check need and this machine lacks
.PHONY: deps deps-build deps-test deps-soak deps-check deps-bench
deps: deps-check
deps-build:
	@SWIFT="$(SWIFT)" $(DEPS) build
deps-test:
	@SWIFT="$(SWIFT)" $(DEPS) build test venv
deps-soak:
	@SWIFT="$(SWIFT)" $(DEPS) build test soak venv
deps-check:
	@SWIFT="$(SWIFT)" $(DEPS) build test check venv
deps-bench:
	@SWIFT="$(SWIFT)" $(DEPS) build test bench venv venv-bench

## build: release binaries, plugins and registry, ready to run from .build/release
.PHONY: build layout
build: deps-build static-cxx
	$(FIXED_ADDRESSES) $(SWIFT) build $(RELEASE_FLAGS)
	@$(MAKE) --no-print-directory layout
layout: plugins jail probe
	@ops/install/sync.sh Registry "$(TRIPLE_DIR)/share/dome/registry"
	@ops/install/sync.sh Templates "$(TRIPLE_DIR)/share/dome/templates"
	@ops/install/sync.sh ops/systemd/user "$(TRIPLE_DIR)/share/dome/systemd"
	@ops/install/headers.sh "$(TRIPLE_DIR)"

# Swift's runtime needs C++'s. As a shared library that is half of the time until a program of ours begins (and a job of an
# adapter is such a program): a thousand symbols to be found. The linker looks into this folder before the system's. libgcc_s
# stays shared: backtrace(3), which tells where a plugin crashed, would otherwise load it in the signal handler.
.PHONY: static-cxx
static-cxx:
	@mkdir -p "$(SWIFT_RELEASE_DIR)"
	@ln -sf "$$($(CXX) -print-file-name=libstdc++.a)" "$(SWIFT_RELEASE_DIR)/libstdc++.a"

include ops/plugins.mk
include ops/jail.mk
include ops/probe.mk

## test: unit tests, then every test against the real release binaries
.PHONY: test
test: deps-test build jail-weak
	@SWIFT="$(SWIFT)" ops/ci/test.sh

## check: format, layers, generated code, headers, scripts, units, file sizes
.PHONY: check
check: deps-check
	@SWIFT="$(SWIFT)" ops/ci/check.sh

## bench: measures side by side with bwrap and task-spooler; table and build/bench.json
.PHONY: bench
bench: deps-bench build
	@$(MAKE) --no-print-directory -f bench/client.mk
	@.venv/bin/python bench/run.py $(BENCH_ARGS)

## bench-audit: what audit and provenance add to a job; builds the programs once more, without them
.PHONY: bench-audit
bench-audit: deps-test build
	@.venv/bin/python bench/run.py --only cost --json build/bench-audit.json

## soak: the long suites
.PHONY: soak
soak: deps-soak build jail-weak
	@SWIFT="$(SWIFT)" DOME_SOAK=1 ops/ci/test.sh

## demo: lists tools, runs one, kills the daemon in the middle of a job and follows on without a gap
.PHONY: demo
demo: deps-build build
	@ops/demo.sh

## fmt: formats the Swift sources
.PHONY: fmt
fmt:
	@ops/ci/swift-sources.sh | xargs -d '\n' $(SWIFT) format format --in-place --parallel

## gen: generates Sources/Host/Proto/Generated from proto/ (or DOME_PROTO_ROOT)
.PHONY: gen
gen: deps-test
	@ops/ci/gen.sh

## install: [PREFIX=/usr/local] [DESTDIR=] a tree that runs from anywhere
.PHONY: install
install: build
	@PROGRAMS="$(PROGRAMS)" ops/install/install.sh "$(BIN)" "$(DESTDIR)" "$(PREFIX)"

## dist: what is released: tarball, Debian package, SBOM, checksums, signatures, manifest, in build/dist
.PHONY: dist
dist: deps-build build
	@PROGRAMS="$(PROGRAMS)" SWIFT="$(SWIFT)" ops/packaging/dist.sh "$(BIN)" build/dist

## clean: removes everything built (and leaves .venv)
.PHONY: clean
clean:
	rm -rf .build build
