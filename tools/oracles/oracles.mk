# Oracles of the parity ladder: each in its own environment outside the product's lock file; opt-in, needs the network.
.PHONY: oracles oracle-environments goldens

ORACLE_PYTHON ?= python3.11

oracles: oracle-environments goldens

oracle-environments: .oracles/nautilus/.ready .oracles/hftbacktest/.ready

.oracles/nautilus/.ready:
	$(ORACLE_PYTHON) -m venv .oracles/nautilus
	.oracles/nautilus/bin/pip install -q nautilus_trader==1.221.0
	touch $@

.oracles/hftbacktest/.ready:
	$(ORACLE_PYTHON) -m venv .oracles/hftbacktest
	.oracles/hftbacktest/bin/pip install -q hftbacktest==2.4.4 numba==0.68.1 numpy==2.2.6
	touch $@

goldens: oracle-environments
	$(ORACLE_PYTHON) tools/oracles/make_tapes.py
	.oracles/nautilus/bin/python tools/oracles/play_nautilus.py
	.oracles/hftbacktest/bin/python tools/oracles/play_hftbacktest.py
