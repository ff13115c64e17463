"""A child process of the dry run's tests: beats every tenth of a second and misbehaves as its words say.

Words: KIND[=VALUE]@SECONDS, run in order of their time; `rate=SECONDS` sets the beat; it ends after 60 s at the latest.
`episodes=N@0` is silent until the harness tells of a silence, speaks until that is closed, N times, and leaves with 0.
"""

import json
import os
import signal
import subprocess
import sys
import time

START = time.monotonic()
STUBBORN = "import time, signal; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
STATE = {"rate": 0.1, "silent": False, "ignore": set(), "episodes": None}


def say(event, level="info", stream=sys.stdout, **more):
    stream.write(json.dumps({"level": level, "event": event, **more}) + "\n")
    stream.flush()


def leave(number, _frame):
    if signal.Signals(number).name not in STATE["ignore"]:
        say("shutdown", reason=signal.Signals(number).name)
        os._exit(0)


def act(kind, value):
    match kind:
        case "silent":
            STATE["silent"] = True
        case "speak":
            STATE["silent"] = False
        case "episodes":
            STATE["episodes"] = int(value)
        case "exit":
            sys.stdout.flush()
            os._exit(int(value or 0))
        case "ignore":
            STATE["ignore"] |= {"SIGINT"} if value == "int" else {"SIGINT", "SIGTERM"}
        case "long":
            say("long", filler="x" * int(value))
        case "info-on-stderr":
            say("note", stream=sys.stderr)
        case "words-on-stderr":
            print("plain words", file=sys.stderr, flush=True)
        case "error" | "warning":
            say("complaint", level=kind)
        case "trace":
            say("report", detail={"a": [{"exc_info": "Traceback (most recent call last):\n  File \"x\", line 1"}]})
        case "secret":
            say("connect", token=os.environ["CANARY_TOKEN"], note=f"with {os.environ['CANARY_TOKEN']}")
            print(f"password={os.environ['CANARY_TOKEN']}", flush=True)
        case "flood":
            line = "x" * 100
            sys.stdout.write("".join(f'{{"level":"info","event":"flood","n":{n},"x":"{line}"}}\n'
                                     for n in range(int(value))))
            sys.stdout.flush()
        case "binary":
            os.write(1, b'\xff\xfe broken \x00 bytes\n{"level":"info","event":"caf\xe9"}\n')
        case "memory":
            code = "import sys, time; held = b'x' * int(sys.argv[1]); time.sleep(60)"
            subprocess.Popen([sys.executable, "-c", code, str(int(float(value) * 1e6))])
        case "orphan":
            subprocess.Popen([sys.executable, "-c", STUBBORN])
        case "daemon":
            subprocess.Popen([sys.executable, "-c", STUBBORN], start_new_session=True)
        case _:
            raise SystemExit(f"no such word: {kind}")


def told_of_silence():
    """Return how many silences the harness has told of so far, and whether the last one is closed."""
    path = os.path.join(os.environ["FINAL_DRY_RUN_LOG_DIR"], "incidents.jsonl")
    with open(path, encoding="utf-8") as file:
        told = [json.loads(line) for line in file if '"log.silence"' in line and line.endswith("\n")]
    return sum(one["state"] == "open" for one in told), bool(told) and told[-1]["state"] == "closed"


def follow_episodes():
    opened, closed = told_of_silence()
    if closed and opened >= STATE["episodes"]:
        act("exit", "0")
    STATE["silent"] = opened == 0 or closed


def main(words):
    pending = []
    for word in words:
        if word.startswith("rate="):
            STATE["rate"] = float(word.partition("=")[2])
            continue
        body, _, at = word.rpartition("@")
        kind, _, value = body.partition("=")
        pending.append((float(at), kind, value))
    pending.sort()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    beat, due = 0, 0.0
    while (now := time.monotonic() - START) < 60:
        while pending and pending[0][0] <= now:
            act(*pending.pop(0)[1:])
        if STATE["episodes"] is not None:
            follow_episodes()
        if now >= due:
            due = now + STATE["rate"]
            beat += 1
            if not STATE["silent"]:
                say("heartbeat", seq=beat)
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1:])
