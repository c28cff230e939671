# Throng. `make run` serves, `make test` checks everything.

.PHONY: help run test bench bench-cluster bench-pairing fuzz fmt clean

help: ## Show this
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: ## Build the pages and the release binary, serve http://localhost:3000
	@scripts/need cargo node npm git
	@scripts/pages
	cargo build --release
	@target/release/throng serve

test: ## Install what the tests need, run every one, end with a summary
	@scripts/test

bench: ## Measure Throng beside its peers on this machine, write bench/RESULTS.md
	@scripts/need cargo node npm
	cargo run --profile dist -p throng-bench --bin bench-compare -- $(ARGS)

bench-cluster: ## Measure two nodes on one Redis beside Node's adapters, write bench/CLUSTER.md
	@scripts/need cargo node npm
	cargo run --profile dist -p throng-bench --bin bench-compare -- cluster $(ARGS)

bench-pairing: ## Measure the lobby, write bench/PAIRING.md and its plot
	@scripts/need cargo
	cargo run --profile dist -p throng-bench-pairing -- $(ARGS)

fuzz: ## Fuzz every decoder, SECONDS each (default 60)
	@scripts/fuzz $(or $(SECONDS),60)

fmt: ## Format the code
	cargo fmt --all

clean: ## Remove what was built
	cargo clean
	rm -rf web/dist web/node_modules e2e/node_modules e2e/.prometheus e2e/.redis e2e/.nginx e2e/.venv e2e/browser/node_modules
