"""Other programs' lines: the healthy pass, the sick have their finding, live and in the audit (section 5)."""

import json
import sys

import pytest
from dry_run_fixture import ran
from hypothesis import example, given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.audit.log_section import judge
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy
from tradeworthy.operations.dry_run.audit.tally import Tally
from tradeworthy.operations.dry_run.model import worst_status
from tradeworthy.operations.dry_run.parting import PartingWords
from tradeworthy.operations.dry_run.plain_text import LEVELS, cleaned, from_utf16, level_in
from tradeworthy.operations.dry_run.pump import Chunk, LineCutter
from tradeworthy.operations.dry_run.recorder import Recorder

NOW = 1_767_571_200 * NANOS_PER_SECOND
T, Z = "2026-01-05 00:00:00,123", "2026-01-05T00:00:00.123456789Z"
TRACE = 'Traceback (most recent call last):\n  File "bot.py", line 7, in step\n    trade()\n'
NODE = '"time":1767571200000,"pid":7,"hostname":"h"'

HEALTHY = {
    "freqtrade": f"{T} - freqtrade.worker - INFO - Bot heartbeat. PID=7, version='2026.1', state='RUNNING'",
    "freqtrade with words": f"{T} - freqtrade.worker - INFO - 0 errors, no error, error_rate=0, Failed: 0, ERROR: 0",
    "hummingbot": f"{T} - 77 - hummingbot.core.clock - INFO - Clock tick, 0 errors.",
    "hummingbot event": f'{T} - 77 - hummingbot.core.event.event_reporter - EVENT_LOG - {{"error": null}}',
    "nautilus": f"\x1b[1m{Z}\x1b[0m [INFO] TRADER-001.DataEngine: READY\x1b[0m",
    "nautilus debug": f"\x1b[1m{Z}\x1b[0m \x1b[36m[DEBUG] TRADER-001.Cache: no errors\x1b[0m",
    "lean": "20260105 00:00:00.123 TRACE:: Engine.Run(): Debug: Error - 0",
    "lean of old": "20260105 00:00:00.123 Trace:: Config.Get(): x\n20260105 00:00:00.124 Trace::        Feed:  y",
    "tracing": f" {Z}  INFO barter::engine: engine{{id=1}}: error_rate=0",
    "env_logger": "[2026-01-05T00:00:00Z INFO  bot::feed] connected",
    "log4j": f"{T} INFO  [main] com.bot.Feed: no error\n{T} DEBUG [main] com.bot.Feed: ERROR budget is whole",
    "logback": "00:00:00.123 [main] INFO  c.bot.Feed - Failed: 0",
    "spring": "2026-01-05T00:00:00.123Z  INFO 77 --- [main] c.bot.Feed : up",
    "loguru": "2026-01-05 00:00:00.123 | SUCCESS  | bot:run:12 - filled",
    "basic": "INFO:ccxt.base:no errors",
    "slog text": 'time=2026-01-05T00:00:00.000Z level=INFO msg="level=ERROR is off"',
    "klog": "I0105 00:00:00.123456   77 feed.go:12] up",
    "dotnet": "info: Bot.Feed[0]\n      Error: 0 of 12",
    "zap console": "2026-01-05T00:00:00.123Z\tINFO\tfeed/feed.go:12\tup",
    "zerolog": "12:00AM INF up error=null", "serilog": "[00:00:00 INF] up",
    "structlog": "2026-01-05 00:00:00 [info     ] error_rate                     value=0",
    "logrus": "INFO[0000] up", "winston": "2026-01-05T00:00:00.000Z info: up",
    "compose": f"bot-1  | {T} - freqtrade.worker - INFO - up",
    "celery": "[2026-01-05 00:00:00,123: INFO/MainProcess] up", "carriage": f"{T} - bot - INFO - up\r",
    "document": f"{T} - freqtrade.config - INFO - Using:\n{{\n  \"error\": null,\n}}",
    "zap": '{"level":"info","ts":1767571200.123,"caller":"feed.go:12","msg":"up","error":null}',
    "zap crlf": '{"level":"info","ts":1767571200.123,"msg":"up"}\r',
    "slog": '{"time":"2026-01-05T00:00:00Z","level":"INFO","msg":"0 errors"}',
    "pino": f'{{"level":30,{NODE},"msg":"up"}}', "pino debug": f'{{"level":20,{NODE},"msg":"Failed: 0"}}',
    "tracing json": f'{{"timestamp":"{Z}","level":"INFO","fields":{{"message":"up","error":"none"}},"target":"b"}}',
    "python json": '{"asctime":"x","levelname":"INFO","message":"no error"}',
    "serilog json": '{"@t":"2026-01-05T00:00:00Z","@l":"Information","@mt":"up"}',
}  # fmt: skip
ERROR, WARNING, STACK, PLAIN = ["log.error"], ["log.warning"], ["log.stack_trace"], ["log.plain_stderr"]
SICK = {
    "freqtrade": (f"{T} - freqtrade - ERROR - Fatal exception!", ERROR),
    "freqtrade with trace": (f"{T} - freqtrade - ERROR - Fatal!\n{TRACE}ccxt.base.errors.RequestTimeout: binance GET",
                             [*ERROR, *STACK]),
    "freqtrade warns": (f"{T} - freqtrade.exchange.common - WARNING - Retrying still for 3 times.", WARNING),
    "hummingbot": (f"{T} - 77 - hummingbot.core.utils - ERROR - Unhandled error in background task: 0", ERROR),
    "nautilus": (f"\x1b[1m{Z}\x1b[0m \x1b[91m[ERROR] TRADER-001.ExecEngine: denied\x1b[0m", ERROR),
    "nautilus warns": (f"\x1b[1m{Z}\x1b[0m \x1b[93m[WARN] TRADER-001.Data: late\x1b[0m", WARNING),
    "lean": ("20260105 00:00:00.123 ERROR:: Engine.Run(): Runtime Error: x\n  at Bot.OnData () in a.cs:line 7", ERROR),
    "tracing": (f"{Z} ERROR barter::engine: x", ERROR), "tracing warns": (f"{Z}  WARN barter: late", WARNING),
    "env_logger": ("[2026-01-05T00:00:00Z ERROR bot::feed] gone", ERROR),
    "log4j": (f"{T} ERROR [main] com.bot.Feed: gone\n\tat com.bot.Feed.read(Feed.java:12)", ERROR),
    "logback": ("00:00:00.123 [main] ERROR c.bot.Feed - gone", ERROR),
    "java": ('Exception in thread "main" java.lang.IllegalState: x\n\tat com.bot.Feed.read(Feed.java:12)', STACK),
    "java printed": ("java.net.SocketTimeoutException: Read timed out\n\tat com.bot.Feed.read(Feed.java:12)\n"
                     "Caused by: java.io.IOException: gone", STACK),
    "dotnet": ("Unhandled exception. System.InvalidOperationException: x\n   at Bot.Main() in main.cs:line 7", STACK),
    "dotnet log": ("fail: Bot.Feed[0]\n      gone", ERROR),
    "loguru": ("2026-01-05 00:00:00.123 | CRITICAL | bot:run:12 - gone", ERROR),
    "basic": ("ERROR:ccxt.base:gone", ERROR), "bare": ("ERROR HTTP 500 from the venue", ERROR),
    "logfmt": ('time="2026-01-05T00:00:00Z" level=fatal msg="gone"', ERROR),
    "klog": ("E0105 00:00:00.123456   77 feed.go:12] gone", ERROR),
    "zap console": ("2026-01-05T00:00:00.123Z\tERROR\tfeed/feed.go:12\tgone", ERROR),
    "zerolog": ("12:00AM ERR gone", ERROR), "serilog": ("[00:00:00 FTL] gone", ERROR),
    "structlog": ("2026-01-05 00:00:00 [error    ] gone", ERROR),
    "winston": ("2026-01-05T00:00:00.000Z error: gone", ERROR),
    "compose": (f"bot-1  | {T} - freqtrade - ERROR - gone", ERROR),
    "celery": ("[2026-01-05 00:00:00,123: ERROR/MainProcess] gone", ERROR),
    "carriage": (f"{T} - bot - ERROR - gone\r", ERROR),
    "progress bar": (f" 10%|#   | 1/10\r{T} - bot - ERROR - gone", ERROR),
    "python": (f"{TRACE}ValueError: x", STACK),
    "python colours": (f"\x1b[31m{TRACE}\x1b[0mValueError: x", STACK),
    "python group": ("  + Exception Group Traceback (most recent call last):\n  |   File \"bot.py\", line 7", STACK),
    "python warns": ("/app/bot.py:7: DeprecationWarning: old\n  trade()", WARNING),
    "python native": ("Fatal Python error: Segmentation fault", STACK),
    "rust": ("thread 'main' panicked at src/main.rs:7:5:\n", STACK),
    "rust of old": ("thread 'tokio-runtime-worker' panicked at 'x', src/main.rs:7:5", STACK),
    "rust of 2025": ("thread 'main' (77) panicked at src/main.rs:7:5:", STACK),
    "go": ("panic: runtime error: index out of range\n\ngoroutine 1 [running]:", STACK),
    "go dump": ("SIGQUIT: quit\ngoroutine 77 [chan receive]:\n\t/app/feed.go:12 +0x1d", STACK),
    "go fatal": ("fatal error: all goroutines are asleep - deadlock!", STACK),
    "c++": ("terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc", STACK),
    "node": ("TypeError: Cannot read properties of undefined\n    at step (/app/bot.js:7:5)", STACK),
    "node warns": ("(node:77) [DEP0040] DeprecationWarning: The `punycode` module is deprecated.", WARNING),
    "zap": ('{"level":"error","ts":1767571200.123,"msg":"gone"}', ERROR),
    "zap panics": ('{"level":"dpanic","ts":1767571200.123,"msg":"gone"}', ERROR),
    "zap with trace": ('{"level":"error","ts":1767571200.1,"msg":"x","stacktrace":"main.run\\n\\t/app/feed.go:12"}',
                       ERROR),
    "pino": (f'{{"level":50,{NODE},"msg":"gone"}}', ERROR), "pino warns": (f'{{"level":40,{NODE},"msg":"x"}}', WARNING),
    "pino stack": (f'{{"level":50,{NODE},"err":{{"message":"x","stack":"Error: x\\n    at a (b.js:1:2)"}}}}', STACK),
    "python numbers": ('{"level":30,"message":"late"}', WARNING),
    "tracing json": (f'{{"timestamp":"{Z}","level":"ERROR","fields":{{"message":"gone"}},"target":"b"}}', ERROR),
    "python json": ('{"levelname":"ERROR","message":"gone"}', ERROR),
    "serilog json": ('{"@t":"2026-01-05T00:00:00Z","@l":"Fatal","@mt":"gone"}', ERROR),
    "ecs": ('{"@timestamp":"2026-01-05T00:00:00Z","log.level":"WARN","message":"late"}', WARNING),
}  # fmt: skip


def both(data, stream="stdout", *, stopped=False):
    """Return (codes told live, their worst, codes of the audit, its worst, the structured lines).

    stopped  the command had been asked to stop when it printed them
    """
    told = []
    made = Recorder(
        wall_at=lambda moment: moment, now=lambda: NOW, plain_severity=Severity.FAIL,
        report=lambda code, severity, *_: told.append((code, severity)),
    )
    cutter = LineCutter(stream, bytes_max=1 << 20)
    lines = [*cutter.feed(Chunk(stream, NOW, data)), *cutter.end()]
    if stopped:
        parting = PartingWords()
        parting.stop_at = NOW
        lines = [*(one for line in lines for one in parting.pass_on([line])), *parting.end()]
    batch = made.take(lines)
    tally = Tally(AuditPolicy(), now=NOW)
    for line in batch.structured.splitlines():
        tally.take(line)
    section = judge(tally, AuditPolicy(), None)
    found = [one for group in (section.errors, section.warnings, section.content_incidents) for one in group
             if one.severity != "pass"]  # fmt: skip
    live = max((severity for _, severity in told), default=Severity.OK)
    read = worst_status(*(one.severity for one in found)).severity if found else Severity.OK
    codes = sorted({code for code, _ in told}), sorted({one.metadata["code"] for one in found})
    return codes[0], live, codes[1], read, [json.loads(line) for line in batch.structured.splitlines()]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("program", HEALTHY)
def test_a_healthy_program_has_no_finding_on_either_stream(program, stream):
    live, worst, read, judged, _ = both(HEALTHY[program].encode() + b"\n", stream)
    assert (live, worst, read, judged) == ([], Severity.OK, [], Severity.OK)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("program", SICK)
def test_a_sick_program_has_its_finding_live_and_in_the_audit(program, stream):
    text, codes = SICK[program]
    live, worst, read, judged, _ = both(text.encode() + b"\n", stream)
    found = [one for one in live if one != "log.plain_stderr"]
    assert found == codes
    assert (worst, live) == (judged, read)
    assert worst is (Severity.WARN if codes == WARNING else Severity.FAIL)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_lines_in_utf16_are_read_and_their_secrets_go(encoding):
    text = f"{T} - bot - INFO - sch\u00f6n\r\n{T} - bot - ERROR - gone password=hunter2-plain\r\n"
    live, _, read, _, lines = both(text.encode(encoding))
    assert live == read == ["log.error"]
    assert "sch\u00f6n" in lines[0]["message"]
    assert "hunter2" not in json.dumps(lines)


INTERRUPT = f"{TRACE}KeyboardInterrupt\n"
LOOP = f"{TRACE}asyncio.exceptions.CancelledError\n\nDuring handling of the above exception, another:\n\n"


@pytest.mark.parametrize(("text", "stopped", "codes"), [
    (INTERRUPT, True, []), (LOOP + INTERRUPT, True, []), (f"Process Worker-1:\n{INTERRUPT}", True, []),
    (f"Exception ignored in: <module>\n{INTERRUPT}", True, []), (INTERRUPT, False, STACK),
    (f"{TRACE}ValueError: x\n", True, STACK), (LOOP, True, STACK), (TRACE, True, STACK),
    (f"{TRACE}ValueError: x\n{INTERRUPT}", True, STACK),
    (f"{T} - bot - ERROR - gone\n{INTERRUPT}", True, ERROR),
])  # fmt: skip
def test_the_trace_of_the_harness_s_own_interrupt_is_no_finding_and_any_other_is(text, stopped, codes):
    live, worst, read, judged, lines = both(text.encode(), "stderr", stopped=stopped)
    assert [one for one in live if one != "log.plain_stderr"] == codes
    assert (live, worst) == (read, judged)
    assert [one["payload"]["raw"] for one in lines] == text.splitlines()


def test_a_program_cannot_hide_its_own_trace_behind_that_event():
    line = json.dumps({"level": "info", "event": "line.interrupted", "exc_info": TRACE})
    assert both(line.encode() + b"\n")[0] == both(line.encode() + b"\n")[2] == STACK


def test_what_follows_a_line_is_no_finding_of_its_own_and_stays_whole():
    live, _, _, _, lines = both(f"{T} - bot - INFO - Using:\n  a: 1\n".encode(), "stderr")
    assert live == []
    assert [one["event"] for one in lines] == ["line", "line.continued"]
    assert lines[1]["payload"]["raw"] == "  a: 1"
    assert both(b"  blanks with nothing before them\n", "stderr")[0] == PLAIN
    assert both(b'{"level":"info","event":"x"}\n  words after an object\n', "stderr")[0] == PLAIN


@pytest.mark.parametrize("text", [
    "0 errors", "no error", "error_rate=0", "Failed: 0", "ERROR: 0", "Errors: 0", "Error: None", "ERROR RATE 0 %",
    "ERROR: 0 WARN: 2", "3 ERROR lines found", "FAIL: 0", "Log level: ERROR", "level: ERROR", "set log level=ERROR",
    "We saw no ERROR here", "error handling is on", f"{Z} error connecting is what we never saw",
    "ALERT: BTC above 50k", "| ERROR | 0 |", "{'error': None}", "", "   ",
])  # fmt: skip
def test_mere_words_state_no_level(text):
    assert level_in(cleaned(text)) is None
    assert both(text.encode() + b"\n")[:2] == ([], Severity.OK)


def test_incidents_carry_no_colours_to_the_terminal():
    told = []
    made = Recorder(wall_at=lambda moment: moment, now=lambda: NOW, plain_severity=Severity.FAIL,
                    report=lambda *all_: told.append(all_))  # fmt: skip
    cutter = LineCutter("stdout", bytes_max=1 << 20)
    data = b'\x1b[31mERROR: gone\x1b[2J\n{"level":"error","event":"\\u001b[2Jx"}\n'
    made.take(cutter.feed(Chunk("stdout", NOW, data)))
    assert [one[2] for one in told] == ["ERROR: gone", "x: x"]


@given(st.text(max_size=200))
@example("a" * 300)
@example("[" * 300)
@example("a=b " * 75)
@example("1 " * 150)
def test_any_text_states_a_known_level_or_none(text):
    assert level_in(cleaned(text)) in {None, *LEVELS.values()}


@given(st.binary(max_size=60))
def test_only_what_is_mostly_zeros_is_taken_for_utf16(data):
    assert from_utf16(data) is None or 5 * data.count(0) >= 2 * len(data)


BOT = """
import sys, time
END = time.monotonic() + 60
number = 0
while time.monotonic() < END:
    number += 1
    at = "2026-01-05 00:00:%02d,123" % (number % 60)
    for line in (
        f"{at} - freqtrade.worker - INFO - Bot heartbeat. PID=7, state='RUNNING', 0 errors",
        f"\\x1b[1m2026-01-05T00:00:00.1Z\\x1b[0m [INFO] TRADER-001.Clock: tick {number}",
        f'{{"level":30,"time":1767571200000,"pid":7,"hostname":"h","msg":"tick"}}',
    ):
        print(line, file=(sys.stderr, sys.stdout)[number % 2], flush=True)
    if sys.argv[1:] == ["sick"] and number == 3:
        print(f"{at} - freqtrade - ERROR - Fatal exception!", file=sys.stderr, flush=True)
    time.sleep(0.1)
"""


@pytest.mark.parametrize(("word", "code", "codes"), [((), 0, []), (("sick",), 2, ["log.error"])])
def test_a_foreign_bot_under_the_harness_gets_the_same_truth(tmp_path, word, code, codes):
    found = ran(tmp_path, seconds=2.0, command=(sys.executable, "-c", BOT, *word))
    assert (found.code, found.codes) == (code, codes)
    assert [one.metadata["code"] for one in found.logs.errors] == codes
    assert found.logs.uptime_source == "lines"
