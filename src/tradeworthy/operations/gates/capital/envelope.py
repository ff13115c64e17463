"""The envelope of an instance with money: within the mandate in every part, or refused (PS-06, PS-11)."""

from decimal import Decimal

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity

LIVE_MICRO_NOTIONAL = Decimal(100)
CANCELS_MAX = 20
RECALIBRATE_FILLS = 100
PARTS = ("notional", "spread", "stop", "take_profit", "cancels")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What an instance may do: notional in quote currency, fractions of price, cancels a minute."""

    notional: Decimal
    spread: Decimal
    stop: Decimal
    take_profit: Decimal
    cancels: int


MANDATE = Envelope(
    notional=LIVE_MICRO_NOTIONAL, spread=Decimal("0.01"), stop=Decimal("0.02"), take_profit=Decimal("0.05"),
    cancels=CANCELS_MAX,
)
"""The mandate of live micro."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be let trade: envelope, fills since its last calibration, live instances beside it, its trades.

    cross_exposure  whether the joint exposure of several live instances was judged well; None = nobody judged
    """

    envelope: Envelope
    fills_since_calibration: int
    live_instances: int
    cross_exposure: bool | None
    trades: int


class ReviewPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The mandate, the least trades a review looks at, and fills after which the costs are measured again."""

    mandate: Envelope = MANDATE
    trades_min: int = 30
    recalibrate_fills: int = RECALIBRATE_FILLS


@fact("gate.weights_approved")
class WeightsApproved(Fact, frozen=True):
    """Weights of a policy that people approved; a version is approved once, and what is not approved may not trade."""

    policy_id: str
    version: int
    weights: tuple[tuple[str, Decimal], ...]
    penalties: tuple[tuple[str, Decimal], ...]
    author: str
    approver: str

    def __post_init__(self) -> None:
        if not self.approver.strip() or self.approver.strip().casefold() == self.author.strip().casefold():
            raise ValueError("weights are approved by somebody other than their author")


def envelope_report(found: Candidate, policy: ReviewPolicy | None = None) -> Report:
    """Return whether the candidate is within its mandate; a part that is one unit over is refused."""
    p, severity = policy or ReviewPolicy(), Severity
    checks = [
        Check(f"envelope.{part}", severity.OK if 0 < getattr(found.envelope, part) <= getattr(p.mandate, part)
              else severity.FAIL, str(getattr(found.envelope, part)), f"above 0, at most {getattr(p.mandate, part)}")
        for part in PARTS
    ]  # fmt: skip
    checks.append(Check("envelope.trades", severity.OK if found.trades >= p.trades_min else severity.FAIL,
                        str(found.trades), f"at least {p.trades_min}"))  # fmt: skip
    fresh = found.fills_since_calibration < p.recalibrate_fills
    checks.append(Check("envelope.calibration", severity.OK if fresh else severity.FAIL,
                        f"{found.fills_since_calibration} fills since", f"fewer than {p.recalibrate_fills}",
                        "" if fresh else "calibrate again first"))  # fmt: skip
    if found.live_instances > 0:
        word = {None: severity.UNKNOWN, False: severity.FAIL, True: severity.OK}[found.cross_exposure]
        told = {None: "nobody judged", False: "judged bad", True: "judged well"}[found.cross_exposure]
        checks.append(Check("envelope.cross_exposure", word, told, "judged with the other live instances"))
    return Report(name="envelope", title="Envelope", sources=(), checks=tuple(checks))


def weights_approved(approvals: tuple[WeightsApproved, ...], policy_id: str, weights: dict[str, Decimal]) -> str:
    """Return why these weights may not trade, empty where their newest approved version is exactly this."""
    own = [one for one in approvals if one.policy_id == policy_id]
    versions = [one.version for one in own]
    if not own:
        return f"{policy_id}: no weights were approved"
    if versions != list(range(1, len(own) + 1)):
        return f"{policy_id}: expected versions 1 to {len(own)}, found {versions}"
    if dict(own[-1].weights) != weights:
        return f"{policy_id}: version {own[-1].version} was approved with other weights"
    return ""
