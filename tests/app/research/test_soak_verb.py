"""Soaks of whole runs through the verb: exit codes, reports, and an exchange that counts its requests."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

import msgspec
import pytest
from soak_runs import document, resealed

from tradeworthy.app import config
from tradeworthy.app.research.soak import order_requests
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.host import HostMemory
from tradeworthy.kernel.journal import read


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = document(environment="paper", steps=7_500, memory_hours=0.5)
    return RunSession(made, root=tmp_path_factory.mktemp("soak"), clock=EventClock()).play().folder


def soak(run, kind, tmp_path, *words):
    return call(["soak", str(run), "--kind", kind, "--out", str(tmp_path), *words])


def codes(tmp_path, name):
    found = json.loads((tmp_path / f"soak-{name}.json").read_bytes())
    return {check["code"]: check["severity"] for check in found["checks"]}


def test_a_run_with_fills_passes_its_smoke_and_its_paper_soak(run, tmp_path, capsys):
    assert soak(run, "smoke", tmp_path) == 0
    assert soak(run, "paper", tmp_path) == 0
    assert set(codes(tmp_path, "paper").values()) == {"OK"}


def test_a_run_without_fills_fails_its_smoke(run, tmp_path, capsys):
    silent = resealed(run, tmp_path / "silent", lambda line: None if line["kind"] == "ledger.fill_booked" else line)
    assert soak(silent, "smoke", tmp_path) == 2
    assert "soak.fills" in capsys.readouterr().out
    assert codes(tmp_path, "smoke")["soak.fills"] == "FAIL"


def test_a_run_without_rows_could_not_be_judged(run, tmp_path):
    empty = resealed(run, tmp_path / "empty", lambda line: line if line["kind"] == "run.started" else None)
    assert soak(empty, "paper", tmp_path) == 3
    assert soak(tmp_path, "paper", tmp_path) == 3


def test_a_minute_cut_out_of_two_days_is_missed(run, tmp_path):
    first = next(read(run / "journal")).ts_init // 60_000_000_000
    cut = resealed(
        run, tmp_path / "cut", lambda line: None if line["ts_init"] // 60_000_000_000 == first + 20 else line
    )
    assert soak(run, "multi-day", tmp_path / "whole") == 2
    assert soak(cut, "multi-day", tmp_path / "cut") == 2
    told = [json.loads((tmp_path / name / "soak-multi-day.json").read_bytes())["checks"] for name in ("whole", "cut")]
    missing = [next(check["text"] for check in checks if check["code"] == "soak.minutes") for checks in told]
    assert [text.split()[0] for text in missing] == ["0", "1"]


def test_memory_is_journaled_each_period_of_a_paper_desk(run):
    samples = [event for event in read(run / "journal") if type(event.payload) is HostMemory]
    assert len(samples) == 5
    assert all(one.source == "host" and one.payload.rss_bytes > 0 for one in samples)
    assert call(["replay", str(run)]) == 0


def test_live_data_without_a_counted_wire_is_unknown_and_with_one_order_request_fails(run, tmp_path):
    wire = tmp_path / "wire.jsonl"
    wire.write_text('{"method":"GET","path":"/depth"}\n{"method":"GET","path":"/ping"}\n')
    soak(run, "live-data", tmp_path)
    assert codes(tmp_path, "live-data")["soak.order_requests"] == "UNKNOWN"
    soak(run, "live-data", tmp_path, "--wire", str(wire))
    assert codes(tmp_path, "live-data")["soak.order_requests"] == "OK"
    wire.write_text(wire.read_text() + '{"method":"post","path":"/order"}\n')
    assert soak(run, "live-data", tmp_path, "--wire", str(wire)) == 2
    assert codes(tmp_path, "live-data")["soak.order_requests"] == "FAIL"
    wire.write_text("no log")
    assert soak(run, "live-data", tmp_path, "--wire", str(wire)) == 3


class Exchange(BaseHTTPRequestHandler):
    """Serve market data, take orders, and write down each request."""

    def do_GET(self):
        self._note()
        data = self.server.market_data
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        self._note()
        self.send_response(200)
        self.end_headers()

    def _note(self):
        with self.server.wire.open("a") as wire:
            wire.write(json.dumps({"method": self.command, "path": self.path}) + "\n")

    def log_message(self, *words):
        pass


@pytest.fixture
def exchange(run, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    server.market_data = next((run / "journal").glob("journal-*.jsonl")).read_bytes()
    server.wire = tmp_path / "exchange.jsonl"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_paper_desk_on_an_exchanges_data_sends_it_no_order(exchange, tmp_path):
    address = f"http://127.0.0.1:{exchange.server_port}"
    fed = tmp_path / "fed"
    fed.mkdir()
    with urlopen(f"{address}/market_data") as answer:
        (fed / "journal-00000000000000000001.jsonl").write_bytes(answer.read())
    made = document(environment="paper")
    tape = config.TapeSection(
        name="exchange", format="journal", instrument="EURUSD.DEMO", path=str(fed), label="synthetic"
    )
    made = msgspec.structs.replace(made, tapes=(tape,))
    paper = RunSession(made, root=tmp_path / "runs", clock=EventClock()).play()
    assert sum(line.orders for line in paper.lines) > 0
    assert order_requests(exchange.wire) == 0
    urlopen(f"{address}/order", data=b"{}").close()
    assert order_requests(exchange.wire) == 1


def test_only_a_testnet_run_is_a_reference(run, tmp_path):
    assert soak(run, "live-data", tmp_path, "--reference", str(run)) == 3
    made = document(environment="paper", steps=700)
    modes = tuple(msgspec.structs.replace(one, mode="testnet_smoke") for one in made.instances)
    made = msgspec.structs.replace(made, instances=modes)
    testnet = RunSession(made, root=tmp_path / "testnet", clock=EventClock()).play().folder
    soak(run, "live-data", tmp_path, "--reference", str(testnet))
    report = json.loads((tmp_path / "soak-live-data.json").read_bytes())
    assert [source["journal"] for source in report["sources"]] == [run.name, testnet.name]


def test_the_out_of_sample_gate_of_two_hours_is_unknown(run, tmp_path):
    assert soak(run, "out-of-sample", tmp_path) == 3


def test_a_kind_nobody_knows_is_usage(run, tmp_path):
    assert soak(run, "forever", tmp_path) == 3
