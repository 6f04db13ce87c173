# Every target is a line a person would type; `make` alone lists them.

dist     := internal/ground/web/dist/manifest.json
postgres := go run ./internal/ground/dbtest/cmd

.PHONY: help look build run test check bench gallery

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-9s %s\n", $$1, $$2 }'

look: $(dist) ## build style sheet, icons and fonts, where they changed

build: look ## build bin/zunft
	go build -trimpath -ldflags "-s -w" -o bin/zunft ./cmd/zunft

run: build ## build and start the demo: both portals, mailbox, print shop
	bin/zunft demo

test: look ## run all tests on both databases and in the browser
	go vet ./...
	$(postgres) -- go test -vet=off -timeout 60m ./...

check: look ## look for mistakes without running anything: vet, gofmt, staticcheck
	go vet ./...
	@files=$$(gofmt -l $(wildcard cmd internal)); test -z "$$files" || { echo "run gofmt -w on:" $$files; exit 1; }
	@if go tool -n staticcheck >/dev/null 2>&1; then go tool staticcheck ./...; else echo "staticcheck is not a tool of go.mod: left out"; fi

bench: look ## measure, each figure beside its yardstick
	$(postgres) durable -- go test -p 1 -run '^$$' -bench . -timeout 30m ./...

gallery: look ## take pictures of every page and mail into gallery/
	ZUNFT_SHOTS=$(CURDIR)/gallery $(postgres) -- go test -count 1 -timeout 12m -run Gallery ./internal/story

$(dist): node_modules/.package-lock.json $(wildcard internal/ground/web/look/*)
	npm run --silent look

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
