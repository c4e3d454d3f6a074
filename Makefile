# `make demo` shows it, `make test` proves it. Each target is one command that can be run by hand.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
export PATH := $(CURDIR)/.tools/node/bin:$(PATH)

.PHONY: help demo test setup lint fmt bench book deny soak conformance review

help:
	@echo 'make demo    build and serve the chat app on http://localhost:3000 (PORT=… for another)'
	@echo 'make test    install what the tests need, then run all of them'
	@echo 'make lint    what `make test` says about the form of the code'
	@echo 'make fmt     format the Rust code'
	@echo 'make book    check the book, and build it when mdbook is there'
	@echo 'make bench   measure against other tools and servers'
	@echo 'make soak    the long forms of the tests: many more seeds, half an hour of churn, two hours of edits'
	@echo 'make conformance  Autobahn’s websocket tests (needs CPython 2.7)'
	@echo 'make deny    licences and advisories of the dependencies (needs cargo-deny)'
	@echo 'make review  look at the snapshots that changed (needs cargo-insta)'

demo:
	@scripts/demo.sh

test:
	@scripts/test.sh

setup:
	@scripts/setup-tests.sh

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

fmt:
	$(CARGO) fmt --all

book:
	node --test tests/book/book.test.mjs
	@if command -v mdbook >/dev/null; then mdbook build book; else echo 'mdbook is not installed: the book was checked, not built'; fi

bench:
	benches/run

soak: setup
	SSBUILD_SOAK=1 $(CARGO) test --workspace --locked
	cd runtime-client && SSBUILD_SOAK=1 npm test --silent
	node tests/soak/edits.mjs

conformance:
	conformance/run

deny:
	@command -v cargo-deny >/dev/null || { echo 'cargo-deny is missing: cargo install cargo-deny'; exit 1; }
	cargo deny check

review:
	@command -v cargo-insta >/dev/null || { echo 'cargo-insta is missing: cargo install cargo-insta'; exit 1; }
	cargo insta review
