# Every target works on a fresh checkout: it makes its own environment first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test check bench bench-native native proof clean

demo: $(VENV)/run.stamp
	@$(BIN)/tradeworthy demo

test: $(VENV)/dev.stamp
	$(BIN)/ruff check src tests tools benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not proof" -n $(JOBS) --dist worksteal

check: $(VENV)/dev.stamp
	$(BIN)/ruff check src tests tools benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not proof" -n $(JOBS) --dist worksteal -x --ignore=tests/parity --ignore=tests/blackbox

proof: $(VENV)/dev.stamp
	TRADEWORTHY_PROOFS=$${TRADEWORTHY_PROOFS:-artifacts/proofs} $(BIN)/pytest -m proof -s

native: $(VENV)/dev.stamp  ## compile the desk's hot rooms into build/native (a C compiler, a few minutes)
	$(BIN)/python tools/native.py

BENCHMARKS := $(filter-out benchmarks/measure.py benchmarks/one_desk.py,$(wildcard benchmarks/*.py))
NATIVE_BENCHMARKS := $(addprefix benchmarks/,journal_append.py pretrade_review.py desk_ema.py desk_l2.py verified_replay.py)
BENCH_JSON := build/bench.json

bench: $(VENV)/dev.stamp  ## every hot path beside its peer in the same run; figures also in build/bench.json
	@for file in $(BENCHMARKS); do $(BIN)/python $$file --peer --json $(BENCH_JSON) || exit 1; echo; done

bench-native: native  ## the same of the compiled desk, into the same file
	@for file in $(NATIVE_BENCHMARKS); do PYTHONPATH=build/native $(BIN)/python $$file --peer --json $(BENCH_JSON) || exit 1; echo; done

dry-run-smoke: SMOKE := demo-$(shell date -u +%Y%m%dT%H%M%SZ)
dry-run-smoke: DESK_RUN := artifacts/final_dry_run/$(SMOKE)
dry-run-smoke: $(VENV)/run.stamp  ## a minute of the demo desk under outside observation; a warning (it may lose money) is no error
	@$(BIN)/tradeworthy final-dry-run-orchestrator --run-name $(SMOKE) --duration-hours 0.0167 \
	  --heartbeat-interval-seconds 2 --progress-interval-minutes 0.1 --live-gap-alert-minutes 0.25 \
	  --minimum-uptime-ratio 0.8 --allow-warnings --diary-stale-fail-minutes 0.5 --performance-stale-fail-minutes 0.5 \
	  --evidence-initial-grace-minutes 0.25 \
	  -- $(BIN)/tradeworthy run config/paper.toml --set desk.speed=400000 || [ $$? -eq 1 ]
	@mkdir -p artifacts/keys && $(BIN)/tradeworthy evidence key artifacts/keys/builder.key
	@$(BIN)/tradeworthy evidence trust add $(DESK_RUN)/trust.json --key artifacts/keys/builder.key.pub \
	  --holder builder --role builder --valid-from $$(date -u +%Y)-01-01T00:00:00Z \
	  --valid-to $$(( $$(date -u +%Y) + 2 ))-01-01T00:00:00Z
	@$(BIN)/tradeworthy evidence sign $(DESK_RUN)/bundle --role builder --key artifacts/keys/builder.key \
	  --trust $(DESK_RUN)/trust.json
	@$(BIN)/tradeworthy evidence verify $(DESK_RUN)/bundle --key $(DESK_RUN)/trust.json

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

requirements/run.txt requirements/dev.txt: ;

.PHONY: lock
lock:  ## hashed requirement files, without addresses
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --extra data --extra operations --extra web --extra notify --extra build pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --all-extras pyproject.toml -o requirements/dev.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

-include tools/oracles/oracles.mk
