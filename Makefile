# The front door. Everything here is a few words for what cmake, ctest and scripts/ do; `make help` lists it.

PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help packages build test sanitize cross-aarch64 assembly-aarch64 demo bench-micro bench-activation paper loc style install clean

# $(call build,PRESET) and $(call test,PRESET): the presets are in CMakePresets.json.
build = cmake --preset $(1) && cmake --build --preset $(1) --parallel $(JOBS)
test = ctest --preset $(1) --output-on-failure -j2 $(CTEST_FLAGS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

packages: ## installs the Debian packages that are missing (all targets that build do it first)
	@scripts/install-packages

build: packages ## builds the library, the tools, the tests and the benchmarks into build/
	@$(call build,release)

test: packages assembly-aarch64 ## builds and tests: with sanitizers, without liburing, and as it is released
	$(call build,asan)
	$(call test,asan)
	$(call build,tsan)
	$(call test,tsan)
	$(call build,noring)
	$(call test,noring)
	$(call build,release)
	$(call test,release)

sanitize: packages ## the tests with address, undefined-behaviour and thread sanitizers only
	$(call build,asan)
	$(call test,asan)
	$(call build,tsan)
	$(call test,tsan)

# A machine that is one needs no other compiler for it.
assembly-aarch64: ## compiles the library for aarch64, and tests its assembly under qemu-user (part of `make test`)
ifneq ($(shell uname -m),aarch64)
	@scripts/install-packages aarch64-compiler
	$(call build,aarch64-assembly)
	$(call test,aarch64-assembly)
endif

cross-aarch64: ## builds for aarch64 into build/aarch64, and tests under qemu-user what that can run
	@scripts/install-packages aarch64
	$(call build,aarch64)
	@$(call test,aarch64); result=$$?; \
	    grep -hE '^(SKIPPED|no io_uring)' build/aarch64/Testing/Temporary/LastTest.log | sort | uniq -c; exit $$result

demo: build ## serves a folder (DIR=/usr/share/doc) with laio-httpd, checks and loads it, shows who waits for a disk, and the routes
	@scripts/demo $(if $(DIR),'$(DIR)')

bench-micro: build ## the microbenchmarks of the paper's section 7, as one table
	@scripts/bench-micro

bench-activation: build ## calls that block, and what the library uses while it idles (as root: with quotas too)
	@scripts/bench-activation

paper: build ## the paper's evaluation, other servers beside it: ARGS=--quick (default, 3 minutes), --standard, --full, --help
	@scripts/install-packages peers
	@scripts/paper $(ARGS)

loc: ## the lines of code of each version of laio-httpd, as in the paper's Table 3
	@scripts/count-lines

style: build ## clang-format and clang-tidy over our sources
	@scripts/check-style

install: build ## installs below PREFIX (/usr/local); DESTDIR is put before it
	DESTDIR=$(DESTDIR) cmake --install build --prefix $(PREFIX)
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" -eq 0 ]; then ldconfig; fi

clean: ## removes build/
	rm -rf build
