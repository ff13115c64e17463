"""The one-file page in a real browser: colours, pinning, dropped files, no network, light and dark."""

import http.server
import json
import threading

import msgspec
import pytest
from browser import Chromium, chromium_there
from bundle_maker import AT, INPUTS, SIGNED_AT, Reference, key_of, trust_of, write_run

from tradeworthy.operations.dry_run.model import RunClass
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.build import build, write_page
from tradeworthy.operations.evidence.sign import sign

pytestmark = pytest.mark.skipif(not chromium_there(), reason="no chromium on this machine")
VERDICT = "document.getElementById('verdict').dataset.verdict"
COLOURS = "[...document.querySelectorAll('#claims li')].map((one) => one.dataset.colour)"
READY = """new Promise((done) => {
  const ask = () => document.getElementById('verdict') ? done(true) : setTimeout(ask, 20); ask(); })"""
PIN = """(async () => { const box = document.getElementById('pin'); box.value = %s;
  box.dispatchEvent(new Event('change')); await render(); })()"""
CHECK = """verifyBundle(PAGE.files, {at: %s, in_page: true, omitted: PAGE.omitted})
  .then((result) => checkFile(new TextEncoder().encode(%s), 'dropped', result))
  .then((nodes) => [nodes[0].dataset.colour, nodes[0].textContent])"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    place = tmp_path_factory.mktemp("page")
    reference = Reference(place)
    log = next((reference.run / "logs").glob("*.log"))
    write_page(reference.folder, reference.page)
    return reference, log


def shown(chromium, data, *, hash_part=f"at={AT}"):
    chromium.open(data, hash_part)
    chromium.evaluate(READY)
    return chromium.evaluate(VERDICT)


def test_a_page_says_consistent_until_a_fingerprint_is_pinned_and_turns_red_when_touched(page):
    reference, log = page
    whole = reference.page.read_bytes()
    with Chromium() as chromium:
        assert shown(chromium, whole) == "consistent"
        assert chromium.evaluate(COLOURS) == ["green"] * 10 + ["grey"]
        fingerprint = reference.trust.fingerprint()
        chromium.evaluate(PIN % json.dumps(fingerprint))
        assert chromium.evaluate(VERDICT) == "verified_with_waivers"
        chromium.evaluate(PIN % json.dumps("0" * 64))
        assert chromium.evaluate(VERDICT) == "invalid"
        assert shown(chromium, whole, hash_part=f"at={AT}&trust={fingerprint}") == "verified_with_waivers"
        assert chromium.evaluate(CHECK % (json.dumps(AT), json.dumps(log.read_text())))[0] == "green"
        assert chromium.evaluate(CHECK % (json.dumps(AT), json.dumps(log.read_text() + "x")))[0] == "red"
        assert shown(chromium, whole.replace(b'"files":{"', b'"files": {"', 1)) == "invalid"


def test_a_page_reaches_no_network_and_runs_no_other_script(page):
    asked = []

    class Count(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Count)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/secret"
    reference, _ = page
    injected = reference.page.read_bytes().replace(
        b"</main>", f"</main><img src='{address}'><script>window.stranger = true</script>".encode(), 1
    )
    with Chromium() as chromium:
        shown(chromium, injected)
        tried = f"fetch('{address}', {{mode: 'no-cors'}}).then(() => 'sent', () => 'blocked')"
        assert chromium.evaluate(tried) == "blocked"
        assert chromium.evaluate("typeof window.stranger") == "undefined"
    server.shutdown()
    assert asked == []


def test_words_of_a_bundle_are_text_and_never_markup(tmp_path):
    run = write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    summary = (run / "summary.json").read_text()
    (run / "summary.json").write_text(summary.replace('"--paper"', '"<img src=x onerror=window.stranger=1></script>"'))
    trust = trust_of()
    built = build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=trust.encoded()), page=run / "bundle.html")
    sign(built.folder, words.BUILDER, key_of("builder-host"), at=SIGNED_AT, trust=trust)
    write_page(built.folder, run / "bundle.html")
    with Chromium() as chromium:
        assert shown(chromium, (run / "bundle.html").read_bytes()) == "consistent"
        assert chromium.evaluate("document.querySelectorAll('#main img').length") == 0
        assert "<img" in chromium.evaluate("document.getElementById('main').textContent")
        assert chromium.evaluate("typeof window.stranger") == "undefined"


def test_a_chunk_of_a_log_that_is_too_large_for_the_page_is_proved_alone(tmp_path, monkeypatch):
    run = write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    log = next((run / "logs").glob("*.log"))
    log.write_bytes(b"".join(b"%07d\n" % n for n in range(3 * words.CHUNK_BYTES // 8)) + b"end\n")
    monkeypatch.setattr("tradeworthy.operations.evidence.page.PAGE_BYTES_MAX", 600_000)
    trust = trust_of()
    built = build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=trust.encoded()))
    sign(built.folder, words.BUILDER, key_of("builder-host"), at=SIGNED_AT, trust=trust)
    write_page(built.folder, run / "bundle.html")
    second = log.read_bytes()[words.CHUNK_BYTES : 2 * words.CHUNK_BYTES]
    with Chromium() as chromium:
        assert shown(chromium, (run / "bundle.html").read_bytes()) == "consistent"
        assert "grey" in chromium.evaluate(COLOURS)
        colour, told = chromium.evaluate(CHECK % (json.dumps(AT), json.dumps(second.decode())))
        assert (colour, "chunk 2 of 4" in told) == ("green", True)
        colour, _ = chromium.evaluate(CHECK % (json.dumps(AT), json.dumps(second.decode()[:-1] + "x")))
        assert colour == "red"
