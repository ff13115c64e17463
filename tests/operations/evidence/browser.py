"""One headless Chromium over its debugging pipe: load a page, evaluate, take the answer. No network, no sockets."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tradeworthy.operations.evidence.page import verifier_script

PROGRAM = "/usr/bin/chromium"
BATCH = 60
RUNNER = """
const bytesOf = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
async function judgeAll(base, mutants, script) {
  native.digest = native.digest && !script; native.ed25519 = native.ed25519 && !script;
  const out = [];
  for (const one of mutants) {
    let files = new Map(Object.entries(base)), omitted = [], answer, ask = one.ask;
    if (ask.trust) ask.trust = bytesOf(ask.trust);
    try {
      if (one.block !== undefined) { ({ files, omitted } = blockOf(one.block)); ask.in_page = true; }
      for (const [name, data] of Object.entries(one.changes))
        if (data === null) files.delete(name); else files.set(name, bytesOf(data));
      const result = await verifyBundle(files, { ...ask, omitted });
      answer = { verdict: result.verdict, findings: result.findings.map((f) => [f.severity, f.code, f.where]) };
    } catch (problem) {
      if (!(problem instanceof Malformed)) throw problem;
      answer = { verdict: "invalid", findings: [["fail", "page.malformed", "bundle.html"]] };
    }
    out.push(answer);
  }
  return out;
}
"""


def chromium_there():
    return shutil.which(PROGRAM) is not None


class Chromium:
    """A browser with one page; leaves with its context."""

    def __enter__(self):
        self._home = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        words = [
            PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--disable-dev-shm-usage", f"--user-data-dir={self._home.name}/profile", "--remote-debugging-pipe",
            "about:blank",
        ]
        high_in, high_out = (fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (theirs_in, theirs_out))
        self._process = subprocess.Popen(
            words, preexec_fn=lambda: (os.dup2(high_in, 3), os.dup2(high_out, 4)), pass_fds=(3, 4),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        for one in (theirs_in, theirs_out, high_in, high_out):
            os.close(one)
        self._out, self._in = os.fdopen(ours_out, "wb", 0), os.fdopen(ours_in, "rb")
        self._number, self._rest = 0, b""
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._out.close()
        self._in.close()
        self._home.cleanup()

    def open(self, page, hash_part=""):
        """Load a page of bytes from a file and make it the one that is asked."""
        path = Path(self._home.name) / "page.html"
        path.write_bytes(page)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Page.navigate", url=f"{path.as_uri()}#{hash_part}")
        while self._message().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression):
        """Return what an expression gives, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if getattr(self, "_session", None) and not method.startswith("Target."):
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != self._number:
            pass
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def _message(self):
        while b"\0" not in self._rest:
            more = self._in.read1(1 << 20)
            if not more:
                raise AssertionError("expected an answer of the browser, it is gone")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def judge(self, base, mutants, *, script=False):
        """Return the page's verdict on each mutant: the same functions that a bundle's page runs."""
        held = json.dumps({name: base64.b64encode(data).decode() for name, data in base.items()})
        own = f"Object.fromEntries(Object.entries({held}).map(([name, data]) => [name, bytesOf(data)]))"
        text = f"{verifier_script()}{RUNNER}const BASE = {own};"
        self.open(f"<!doctype html><meta charset=utf-8><script>{text}</script>".encode())
        answers = []
        for start in range(0, len(mutants), BATCH):
            batch = json.dumps([_plain(one) for one in mutants[start : start + BATCH]])
            answers += self.evaluate(f"judgeAll(BASE, {batch}, {json.dumps(script)})")
        return answers


def _plain(mutant):
    ask = mutant.ask._asdict()
    ask.pop("omitted")
    ask["trust"] = None if ask["trust"] is None else base64.b64encode(ask["trust"]).decode()
    changes = {
        name: None if data is None else base64.b64encode(data).decode() for name, data in mutant.changes.items()
    }
    plain = {"ask": ask, "changes": changes}
    if mutant.page is not None:
        data = mutant.page.partition(b'<script id="bundle" type="application/json">')[2].partition(b"</script>")[0]
        plain["block"] = data.decode()
    return plain
