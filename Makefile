# make run      build and start logoutd on its embedded broker and store
# make test     install what the tests need, then run all of them
# make lint     gofmt, go vet, golangci-lint, govulncheck
# make bench    measure logoutd beside its baselines, into docs/benchmarks.md (six minutes; needs redis-server)
# make profile  renew the profile that the compiler optimizes logoutd for
# make soak     ten minutes of load, and the memory before and after

GO ?= go

.PHONY: run build test lint bench profile soak bench-build test-tools

run: build
	@exec bin/logoutd serve

build:
	@.ci/go-version
	@echo "Building bin/logoutd with $$($(GO) env GOVERSION). The first build takes one to two minutes on two cores, later ones a few seconds."
	@CGO_ENABLED=0 $(GO) build -trimpath -o bin/logoutd ./cmd/logoutd

# Pointer checks in the translated C of SQLite take half the time of its tests,
# and a second build of everything for the profile helps no test.
test: test-tools
	$(GO) test -race -pgo=off -gcflags=modernc.org/...=-d=checkptr=0 ./...

# The race detector needs a C compiler, the store's tests a Redis, the
# console's a browser, the webhook's the verifiers that receivers use.
test-tools:
	@.ci/install redis-server:redis-server gcc:gcc chromium:chromium node:nodejs npm:npm

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	@.ci/linters
	bin/golangci-lint run ./...
	@.ci/vulnerabilities

bench: bench-build
	bin/logoutbench suite --logoutd bin/logoutd --markdown docs/benchmarks.md

soak: bench-build
	bin/logoutbench run --logoutd bin/logoutd --rate 6000 --duration 10m

# Everything that a logout passes through at work: the front ends in a burst,
# fronts and revoker as under a sustained load, and push registrations.
PROFILE = bin/logoutbench run --logoutd bin/logoutd --connections 256 --cpu-profile
profile: bench-build
	$(PROFILE) bin/burst.pgo --duration 20s --count 400000
	$(PROFILE) bin/sustained.pgo --rate 12000 --duration 40s
	$(PROFILE) bin/push.pgo --dialect sap_v2 --push-registrations 5 --rate 2000 --duration 20s
	$(GO) tool pprof -proto bin/burst.pgo bin/sustained.pgo bin/push.pgo >cmd/logoutd/default.pgo

bench-build: build
	@.ci/install redis-server:redis-server
	@$(GO) build -trimpath -o bin/logoutbench ./cmd/logoutbench
