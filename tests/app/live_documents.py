"""Documents of desks that go live or hold a catalogue, and what such desks need beside them."""

import msgspec
from soak_runs import document

from tradeworthy.app import config
from tradeworthy.app.configuration.bundles import instance_hash
from tradeworthy.app.configuration.instances import name_of
from tradeworthy.trading.control.approvals import Principal

LIVE = {
    "id": "quoter", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO", "role": "maker", "mode": "live_microcap",
    "duty": "live_microcap", "account": "main", "cap": "100", "policy": {"lots": 2_000},
}  # fmt: skip
PAPER = {**LIVE, "id": "tester", "mode": "paper_smoke", "duty": "paper_validation", "account": "", "cap": "100"}
OFF = {**PAPER, "enabled": False, "mode": "", "duty": "reserved", "cap": None}
MAIN = {"id": "main", "venue": "DEMO", "credentials": "secret://main_key"}
SIM = {"id": "sim", "venue": "DEMO"}
PEOPLE = (Principal("k1", "ann", ("risk",), b""), Principal("k2", "bob", ("operations",), b""))
SECRET = {"TRADEWORTHY_SECRET_MAIN_KEY": "canary-77aa-hunter2"}
ENVELOPE = 'envelope = { environments = ["paper"], instruments = ["EURUSD.DEMO"] }'


def parsed(*instances, environment="live", accounts=(MAIN, SIM), **rest):
    plain = {
        "schema": "desk@1", "desk": {"name": "made", "environment": environment, "capital": "1000000"},
        "tapes": [{"name": "made", "format": "demo", "instrument": "EURUSD.DEMO"}], "accounts": list(accounts),
        "instances": [{key: value for key, value in one.items() if value is not None} for one in instances],
        "catalogue": "approved.toml", **rest,
    }  # fmt: skip
    return config.parse(plain, origin="test")


def desk(path, **desk_fields):
    (one,) = document().instances
    made = document(environment="paper", **desk_fields)
    instances = (msgspec.structs.replace(one, mode="paper_smoke", duty="paper_validation"),)
    return msgspec.structs.replace(made, instances=instances, catalogue=str(path))


def approve(path, made, *, config_hash=None, name=None, envelope=ENVELOPE, rest=""):
    (one,) = made.instances
    path.write_text(
        f'schema = "catalogue@1"\n[[bundles]]\nname = "{name or name_of(one)}"\nstrategy = "touch_quoter"\n'
        f'version = "v1"\nconfig_hash = "{config_hash or instance_hash(made, one)}"\n{envelope}\n{rest}\n'
    )
