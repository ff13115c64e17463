"""The vocabulary of gates: requirement, gate, evidence, row, verdict. Times are nanoseconds UTC."""

from enum import StrEnum

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.evidence.certificate import EndsFirst, WaiverInForce
from tradeworthy.operations.evidence.vocabulary import NEVER_WAIVABLE, PROVENANCES

ENVIRONMENTS = ("simulated", "paper", "testnet", "live_micro", "live")
"""From the least to the most: what was proved in one counts for those before it, never for those after it."""
HASHES = ("code", "config", "limits", "models")
PERIODIC_S, PERIODIC_CI_S = 20 * 60, 15 * 60
"""Default ages at which a periodic report is stale, and with `--ci`."""
RENEWED_S = PERIODIC_S
"""A requirement whose evidence is stale by then is renewed by the running desk itself, so its lapse is no plan's."""


class Answer(StrEnum):
    """The two answers."""

    GO = "GO"
    NO_GO = "NO-GO"


class Grade(StrEnum):
    """What a requirement that is not met does: end GO, or only warn."""

    CRITICAL = "critical"
    WARNING = "warning"


class Condition(StrEnum):
    """What makes a warning row critical; a condition that nobody states holds."""

    STRICT = "strict"
    LIVE = "live"
    IN_SESSION = "in_session"
    ABOVE_LIVE_MICRO = "above_live_micro"
    DEPENDENCY_CHANGED = "dependency_changed"


class Standing(StrEnum):
    """How one requirement stands; the first three count as met."""

    MET = "met"
    WARNED = "warned"
    WAIVED = "waived"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    STALE = "stale"
    FUTURE = "future"
    ERROR = "error"
    VOIDED = "voided"
    OTHER_RUN = "other_run"
    LOWER_ENVIRONMENT = "lower_environment"
    LOWER_PROVENANCE = "lower_provenance"
    UNPROVEN = "unproven"


GOOD = frozenset({Standing.MET, Standing.WARNED, Standing.WAIVED})


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a gate.

    source      the assessment or check whose newest evidence it reads;  component  a part of it, empty = all of it
    accept      the worst status that meets it, OK or WARN;  strict_ok  with `--strict` only OK does
    age_max_s   age at which evidence is stale, reached = stale; None lasts as long as what `depends_on` names
    ci_age_max_s  the same with `--ci`; None = `age_max_s`
    depends_on  hashes whose change voids the evidence, whatever its age
    same_cycle  the evidence must be of the very cycle that asks
    environment_min, provenance_min  the least that counts
    critical_when  conditions under which a warning row is critical
    fix_s       how long renewing its evidence takes, roughly
    mutation    names of changes of the world that make it unmet; one of them must have done so (GE-17)
    coupled     other rows that the same change may flip, by right
    grace_s     how long an open session goes on after this row lapsed; None = as the watcher's policy says (GE-10)
    """

    id: str
    source: str
    title: str
    grade: Grade = Grade.CRITICAL
    critical_when: tuple[Condition, ...] = ()
    accept: Severity = Severity.WARN
    strict_ok: bool = False
    component: str = ""
    age_max_s: int | None = PERIODIC_S
    ci_age_max_s: int | None = None
    depends_on: tuple[str, ...] = ()
    same_cycle: bool = False
    environment_min: str = "simulated"
    provenance_min: str = "attested"
    waivable: bool = False
    owner: str = "operations"
    runbook: str = "runbooks/gate.md"
    remedy: str
    fix_s: int = 60
    mutation: tuple[str, ...] = ()
    coupled: tuple[str, ...] = ()
    grace_s: int | None = None

    def __post_init__(self) -> None:
        if self.accept not in (Severity.OK, Severity.WARN):
            raise ValueError(f"{self.id}: accept must be OK or WARN, was {self.accept.name}")
        if self.environment_min not in ENVIRONMENTS or self.provenance_min not in PROVENANCES:
            found = f"{self.environment_min!r}, {self.provenance_min!r}"
            raise ValueError(f"{self.id}: expected a known environment and provenance, found {found}")
        if self.age_max_s is None and not self.depends_on and not self.same_cycle:
            raise ValueError(f"{self.id}: evidence that never ends needs a hash that voids it")
        if set(self.depends_on) - set(HASHES):
            raise ValueError(f"{self.id}: expected hashes of {', '.join(HASHES)}, found {self.depends_on}")
        if self.waivable and self.id.partition(".")[0] in NEVER_WAIVABLE:
            raise ValueError(f"{self.id}: is never waivable")
        if self.waivable and self.owner == "risk":
            raise ValueError(f"{self.id}: a risk control is overridden by break-glass, for one session, never waived")
        if self.grace_s is not None and self.grace_s < 0:
            raise ValueError(f"{self.id}: grace_s must be at least 0, was {self.grace_s}")
        if not self.mutation:
            raise ValueError(f"{self.id}: a requirement names a mutation that makes it unmet")

    @property
    def renews_itself(self) -> bool:
        """Whether a running desk renews its evidence all the time."""
        return self.age_max_s is not None and self.age_max_s <= RENEWED_S


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """A named table.

    ladder          whether the tier's level of the validation ladder is a row of it
    covers_session  whether nothing critical may lapse before the next session closes (GL-31)
    """

    name: str
    title: str
    requirements: tuple[Requirement, ...]
    ladder: bool = False
    covers_session: bool = False


class Artefact(msgspec.Struct, frozen=True, order=True):
    """One piece of content that a verdict rests on."""

    name: str
    sha256: str
    size: int


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What one source last said, checked at the door.

    status       None = it could not be read; `error` says why
    stamp        when it was judged;  recorded_at  when it reached the store: later stamps are from the future
    ends_at      an end of its own (attestation, roster gap, its own freshness); `end_reason` says which
    components   the status of each of its parts;  size  of its content in bytes
    """

    source: str
    evidence_id: str
    run_id: str
    status: Severity | None
    stamp: int
    recorded_at: int
    environment: str
    provenance: str
    hashes: dict[str, str] = {}
    cycle: str = ""
    ends_at: int | None = None
    end_reason: str = ""
    components: dict[str, Severity] = {}
    observed: str = ""
    limit: str = ""
    reason: str = ""
    artefacts: tuple[Artefact, ...] = ()
    size: int = 0
    error: str = ""


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """Something beside evidence that ends a GO: a session's close, a gap in the roster."""

    name: str
    at: int
    reason: str
    remedy: str


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict is for; any other use of it is refused (GE-08).

    release  the name of what runs;  scope  the instance it is for, `desk` for all of them
    """

    release: str
    environment: str
    tier: str
    scope: str = "desk"
    hashes: dict[str, str]


class SessionTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The trading session that is open or comes next."""

    opens_at: int
    closes_at: int


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known beside evidence and time.

    conditions  which conditions hold; one that is not stated holds
    proven      requirements whose mutation made them unmet with this code (GE-17)
    journal_head  seq and hash of the desk's journal;  cycle  the id of the cycle that asks
    unmade  sources that nothing of this release speaks for yet
    """

    binding: Binding
    proven: frozenset[str]
    conditions: dict[Condition, bool] = {}
    cycle: str = ""
    session: SessionTimes | None = None
    ends: tuple[Ends, ...] = ()
    commit: str = ""
    journal_head: tuple[int, str] | None = None
    unmade: tuple[str, ...] = ()


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    """How strictly a gate is asked (GE-11).

    tightened        warning rows that count as critical
    warn_components  rows, or components of their evidence, of which a warning blocks;  block_on_warn  of all (GT-08)
    """

    ci: bool = False
    strict: bool = False
    tightened: tuple[str, ...] = ()
    warn_components: tuple[str, ...] = ()
    block_on_warn: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement as it stands; `ends_at` is when its evidence or waiver ends.

    codes  `issue.<component>.{fail,warn,warn_blocked}` of each part of its evidence that is not well
    """

    id: str
    title: str
    grade: Grade
    met: bool
    standing: Standing
    observed: str
    limit: str
    reason: str
    stamp: int | None = None
    age_s: float | None = None
    ends_at: int | None = None
    evidence: tuple[str, ...] = ()
    environment: str = ""
    provenance: str = ""
    waiver: str | None = None
    source: str
    owner: str
    runbook: str
    remedy: str
    renews_itself: bool = False
    grace_s: int | None = None
    codes: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """GO or NO-GO with everything it rests on; its id is the SHA-256 of its canonical bytes.

    table_hash     of the gate's table, which is kept by it, so that anybody can judge again (GE-13)
    waivers_known  every waiver that was looked at, those that do not count too
    problem        why the table could not be used; then the answer is NO-GO and the exit code 3
    blocking       why it is NO-GO, one line a critical row that is not met
    """

    schema: str = "tradeworthy.verdict/1"
    gate: str
    answer: Answer
    evaluated_at: int
    run_id: str
    mode: Mode
    context: Context
    table_hash: str
    bundle_id: str
    rows: tuple[Row, ...]
    waivers: tuple[str, ...] = ()
    refused_waivers: tuple[str, ...] = ()
    ends_first: EndsFirst | None = None
    artefacts: tuple[Artefact, ...] = ()
    waivers_known: tuple[WaiverInForce, ...] = ()
    problem: str = ""
    blocking: tuple[str, ...] = ()

    @property
    def expires_at(self) -> int | None:
        """When GO ends, None where nothing ends it, or where it is NO-GO."""
        return None if self.ends_first is None else self.ends_first.at

    def standing(self, now: int) -> Answer:
        """Return the answer wherever it is read: before its time and past its end it is NO-GO (GE-07)."""
        ended = self.expires_at is not None and now >= self.expires_at
        return Answer.NO_GO if ended or now < self.evaluated_at else self.answer

    def unmet(self) -> tuple[Row, ...]:
        """Return the rows that are not met, critical first."""
        return tuple(sorted((row for row in self.rows if not row.met), key=lambda row: row.grade is not Grade.CRITICAL))

    def lapse(self, row: Row, now: int) -> float | None:
        """Return the seconds until a row ends, None where nothing ends it."""
        return None if row.ends_at is None else (row.ends_at - now) / NANOS_PER_SECOND

    @property
    def exit_code(self) -> ExitCode:
        """0 GO, 1 GO with warnings, 2 NO-GO, 3 the table cannot be used."""
        if self.problem:
            return ExitCode.COULD_NOT_JUDGE
        if self.answer is Answer.NO_GO:
            return ExitCode.FAIL
        return ExitCode.PASS if all(row.standing is Standing.MET for row in self.rows) else ExitCode.WARN
