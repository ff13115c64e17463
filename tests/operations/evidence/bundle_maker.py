"""Make a small run of class release and its signed bundle, in memory and on disk; every key comes from a word."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.dsse import envelope
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.host import HostMemory
from tradeworthy.kernel.journal import Journal, LocalSigner
from tradeworthy.operations.dry_run.artefact_files import write_artefact
from tradeworthy.operations.dry_run.artefacts import Progress, RunState, Sections, Summary
from tradeworthy.operations.dry_run.model import (
    DiarySection,
    Hashes,
    LogSection,
    PerformanceSection,
    Relaxation,
    RunClass,
    RunMetadata,
    SignOff,
    SignOffCriteria,
    Status,
)
from tradeworthy.operations.evidence import log as evidence_log
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.build import build
from tradeworthy.operations.evidence.canonical import canonical_json, parse_canonical, sha256_hex
from tradeworthy.operations.evidence.collect import Inputs
from tradeworthy.operations.evidence.judge import Ask
from tradeworthy.operations.evidence.sign import sign
from tradeworthy.operations.evidence.trust import Quorum, TrustFile, trusted_key, with_key
from tradeworthy.operations.evidence.waivers import Waiver, sealed
from tradeworthy.operations.evidence.witness import Look, WitnessPolicy, WitnessWatch

RUN_ID = "20260301T000000Z-0123abcd"
JUDGED = datetime(2026, 3, 4, 1, tzinfo=UTC)
SIGNED_AT, AT, EXPIRED_AT = "2026-03-04T02:00:00Z", "2026-03-05T00:00:00Z", "2026-04-01T00:00:00Z"
VALID_FROM, VALID_TO = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
PEOPLE = {"strategy_owner": "sofia", "risk": "rafael", "operations": "olga", "compliance": "carla"}
LOG_LINES = 400


def key_of(holder: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(holder.encode()).digest())


def public_of(holder: str) -> bytes:
    return key_of(holder).public_key().public_bytes_raw()


def trust_of(**changes: object) -> TrustFile:
    trust = TrustFile(quorum=Quorum(release=("risk",)))
    machines = {"builder-host": ("builder",), "log-host": ("log",), "watcher": ("witness",)}
    machines |= {"desk-account": ("builder",)}
    people = {name: (role,) for role, name in PEOPLE.items()}
    for holder, roles in (machines | people | {"otto": ("operations",), "alma": ("risk",)}).items():
        key = trusted_key(public_of(holder), holder=holder, roles=roles, valid_from=VALID_FROM, valid_to=VALID_TO)
        if holder in changes:
            key = msgspec.structs.replace(key, **changes[holder])
        trust = with_key(trust, key)
    return trust


INPUTS = Inputs(environment="paper", operator="otto", author="alma", desk="desk-account", commit="f" * 40)


def waiver_of(**changes: object) -> Waiver:
    plain = {
        "waiver_id": "w-1", "finding_code": "relaxation.warnings", "scope": RUN_ID, "reason": "a known warning",
        "owner": "sofia", "author": "alma", "issued_at": "2026-03-01T00:00:00Z", "expires_at": "2026-03-08T00:00:00Z",
    }
    return Waiver(**(plain | changes))


def summary_of(run: Path, *, run_class: RunClass = RunClass.RELEASE, relaxed: bool = True) -> Summary:
    logs = run / "logs"
    metadata = RunMetadata(
        command=("desk", "--paper"), started_at=datetime(2026, 3, 1, tzinfo=UTC), ended_at=JUDGED, exit_code=0,
        target_duration_seconds=262_800.0, actual_duration_seconds=262_800.0, log_total_lines=LOG_LINES,
        structured_log_paths=(str(logs / "final_dry_run_20260301T000000Z.jsonl"),),
        raw_log_paths=(str(logs / "final_dry_run_20260301T000000Z.log"),),
        hashes=Hashes(code="a" * 64, config="b" * 64, limits="c" * 64, models="d" * 64),
    )
    criteria = SignOffCriteria()
    relaxations = (Relaxation(code="relaxation.warnings", switch="--allow-warnings", waiver_id="w-1"),)
    return Summary(
        run_id=RUN_ID, run_class=run_class, status=Status.PASS,
        summary=Sections(
            generated_at=JUDGED, status=Status.PASS, metadata=metadata,
            logs=LogSection(status=Status.PASS, records=LOG_LINES, uptime_ratio=0.9991),
            diary=DiarySection(status=Status.PASS, total_entries=3), performance=PerformanceSection(status=Status.PASS),
        ),
        sign_off=SignOff(evaluated_at=JUDGED, status=Status.PASS, criteria=criteria),
        relaxations=relaxations if relaxed else (),
    )


def write_run(run: Path, *, run_class: RunClass = RunClass.RELEASE, relaxed: bool = True) -> Path:
    """Write the folder of a run as the orchestrator leaves it, and what a release needs beside it."""
    summary = summary_of(run, run_class=run_class, relaxed=relaxed)
    (run / "logs").mkdir(parents=True)
    (run / "progress_timeline").mkdir()
    write_artefact(run / "summary.json", summary)
    for name in ("summary.md", "review.md", "wrap_up.md"):
        (run / name).write_text(f"# {name}\n")
    for name in ("review.json", "wrap_up.json", "performance_metrics.json"):
        (run / name).write_text('{"status": "pass"}\n')
    (run / "backlog.json").write_text("[]\n")
    (run / "incidents.jsonl").write_text("")
    progress = Progress(
        run_id=RUN_ID, now=JUDGED, started_at=JUDGED, elapsed_seconds=1.0, target_duration_seconds=1.0,
        required_duration_seconds=1.0, minimum_uptime_ratio=0.995, require_diary_evidence=True,
        require_performance_evidence=True,
    )
    write_artefact(run / "progress.json", progress)
    write_artefact(run / "progress_timeline" / "snapshot-20260301T000000-00001.json", progress)
    state = RunState(
        run_id=RUN_ID, boot_id="boot", segment=1, now=JUDGED, monotonic_ns=1, started_at=JUDGED,
    )
    write_artefact(run / "run_state.json", state)
    lines = "".join(f'{{"timestamp":"2026-03-01T00:{n // 60:02d}:{n % 60:02d}Z","n":{n}}}\n' for n in range(LOG_LINES))
    (run / "logs" / "final_dry_run_20260301T000000Z.jsonl").write_text(lines)
    (run / "logs" / "final_dry_run_20260301T000000Z.log").write_text("".join(f"line {n}\n" for n in range(LOG_LINES)))
    (run / "decision_diary.jsonl").write_text('{"entry_id":"1"}\n{"entry_id":"2"}\n{"entry_id":"3"}\n')
    if run_class is RunClass.RELEASE:
        _write_release_evidence(run, relaxed=relaxed)
    return run


def _write_release_evidence(run: Path, *, relaxed: bool) -> None:
    evidence = run / "evidence"
    for folder in ("drills", "flatness", "waivers"):
        (evidence / folder).mkdir(parents=True)
    minutes_of(run / "witness.jsonl")
    (evidence / "release_manifest.json").write_text('{"image":"sha256:1"}\n')
    (evidence / "sbom.json").write_text('{"components":[{"name":"msgspec"}]}\n')
    (evidence / "loaded_modules.json").write_text('{"modules":["msgspec"]}\n')
    (evidence / "alert_canary.json").write_text('{"p99_seconds":1.2}\n')
    (evidence / "configuration.toml").write_text("name = 'paper'\n")
    (evidence / "drills" / "kill_switch.json").write_text('{"bound_seconds":5}\n')
    (evidence / "flatness" / "close.json").write_text('{"flat":true}\n')
    if relaxed:
        keys = (key_of(PEOPLE["risk"]), key_of(PEOPLE["operations"]))
        (evidence / "waivers" / "w-1.dsse.json").write_bytes(sealed(waiver_of(), keys))


class _Up:
    name = "health"

    def look(self, now: int) -> Look:
        return Look(True, "200")


def minutes_of(path: Path, *, run_id: str = RUN_ID, signer: str = "watcher") -> None:
    """Let a witness watch for three minutes."""
    path.unlink(missing_ok=True)
    clock = EventClock(1_772_323_200_000_000_000)  # 2026-03-01T00:00:00Z
    watch = WitnessWatch(run_id, (_Up(),), key_of(signer), path, clock=clock, policy=WitnessPolicy())
    watch.run(lambda: clock.now() >= 1_772_323_380_000_000_000)


def journal_in(place: Path) -> Path:
    """Return a small sealed journal with a signed checkpoint."""
    clock = EventClock(1_772_409_600_000_000_000)
    journal = Journal.open(place, clock=clock, signer=LocalSigner(key_of("journal-witness")))
    for number in range(4):
        journal.append(event_of(HostMemory(number), source="host", key=number, ts_event=1, ts_init=1))
    journal.close()
    return place


class Reference:
    """The reference bundle: signed by builder and three people, waived, logged."""

    def __init__(self, place: Path, *, run_class: RunClass = RunClass.RELEASE) -> None:
        self.run = write_run(place / "run", run_class=run_class)
        self.folder = self.run / "bundle"
        self.page = self.run / "bundle.html"
        self.trust = trust_of()
        inputs = msgspec.structs.replace(INPUTS, trust=self.trust.encoded(), journal=journal_in(place / "journal"))
        self.built = build(self.run, self.folder, inputs)
        sign(self.folder, words.BUILDER, key_of("builder-host"), at=SIGNED_AT, trust=self.trust)
        for role in ("strategy_owner", "risk", "operations"):
            sign(self.folder, role, key_of(PEOPLE[role]), at=SIGNED_AT, trust=self.trust)
        self.log = place / "log"
        for number in range(3):
            evidence_log.append(self.log, sha256_hex(b"%d" % number), key_of("log-host"), at=SIGNED_AT)
        self.seen = evidence_log.head_of(self.log)
        evidence_log.append(self.log, self.built.bundle_id, key_of("log-host"), at=SIGNED_AT)
        (self.folder / words.LOG_PROOF).write_bytes(
            evidence_log.prove(self.log, self.built.bundle_id, since=self.seen)
        )
        self.ask = Ask(AT, self.trust.encoded(), log_head=tuple(self.seen))

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*")) if path.is_file()
        }


def manifest_of(files: dict[str, bytes]) -> dict:
    return parse_canonical(files[words.MANIFEST], "manifest")


def resigned(payload: dict, *holders: str) -> bytes:
    """Return an envelope of any payload with the signatures of these holders."""
    return canonical_json(envelope(canonical_json(payload), words.PAYLOAD, *map(key_of, holders)))
