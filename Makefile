# The two commands: `make run` (with NET=direct, as root: on the own stack) and `make test`. Both set up what they need
# (see build/dev/setup.sh).
VENV := .venv
PYTHON := $(VENV)/bin/python
PYTEST_ARGS ?= -n auto

.PHONY: run test test-long test-uncompiled lint format bench bench-image count-lines image runtime clean setup

run: setup
	@$(VENV)/bin/unizone example $(if $(NET),--net=$(NET))

test: setup
	$(PYTHON) -m pytest $(PYTEST_ARGS)

# The same with those tests that take many minutes each.
test-long: setup
	UNIZONE_LONG_TESTS=1 $(PYTHON) -m pytest $(PYTEST_ARGS)

# The same as `test` with the sources of what Cython compiles as plain Python; afterwards they are compiled again.
test-uncompiled: setup
	UNIZONE_COMPILE=0 $(PYTHON) -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.compiled
	$(PYTHON) -m pytest $(PYTEST_ARGS); status=$$?; $(MAKE) --no-print-directory setup; exit $$status

lint: setup
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

format: setup
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: setup
	$(PYTHON) -m tests.bench --write=docs/bench $(BENCH_ARGS)

# Images beside their goals, and beside Linux with NSD in the same emulated machine.
bench-image: setup
	$(PYTHON) -m tests.bench_image --write=docs/bench-image $(BENCH_ARGS)

# Lines of code in an image (TARGET=virtio), and in Debian with NSD.
count-lines: image
	$(PYTHON) -m tests.bench_image.lines --target=$(TARGET)

# What images share: musl, zlib and CPython from pinned sources, and OpenSSL for those with TLS, once, in the user's cache.
runtime: setup
	$(VENV)/bin/unizone build --runtime --git=git,https

TARGET ?= unix
image: setup
	$(VENV)/bin/unizone build --target $(TARGET)

clean:
	rm -rf $(VENV) out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(VENV)/.compiled

# What Cython compiles, and the types beside it: an extension module that is older than its source would hide it.
COMPILED := $(shell sed -n '/^modules = \[/,/\]/s/.*"\(.*\)",*$$/\1/p' pyproject.toml)
COMPILED += $(shell find dns_server stack zones -name '*.pxd')

$(VENV)/.compiled: $(VENV)/.ready build/hatch_build.py $(COMPILED)
	@$(PYTHON) -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready: pyproject.toml build/dev/setup.sh
	@bash build/dev/setup.sh $(VENV)
