"""Compare candidate and baseline on identical input by a test that is valid at any time (PS-08).

Only pairs that differ say anything: one side made an error where the other made none. If both are as good, each side
is as often the worse one; if the candidate's errors are doubled, it is in two of three. Two test martingales bet on
one against the other. Each is above 1 / alpha with probability alpha at most, however often one looks (Ville).
"""

import math
from enum import StrEnum

import msgspec


class Finding(StrEnum):
    """What the pairs say so far."""

    OPEN = "open"
    NOT_WORSE = "not_worse"
    WORSE = "worse"


class PairedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """False promotions of a candidate whose errors are `worse_ratio` times as many, and false aborts of an equal one.

    Power against that candidate is at least 1 - false_abort, as long as the pairs go on.
    """

    false_promotion: float = 0.05
    false_abort: float = 0.05
    worse_ratio: float = 2.0

    @property
    def worse_share(self) -> float:
        """The share of differing pairs in which a candidate of that ratio is the worse one."""
        return self.worse_ratio / (1 + self.worse_ratio)


class PairedTest(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the test: pairs seen, pairs in which only one side erred, and the logarithm of the wealth.

    log_wealth  of the bet on a worse candidate; the bet on an equal one has its opposite
    """

    pairs: int = 0
    only_candidate: int = 0
    only_baseline: int = 0
    log_wealth: float = 0.0

    def seen(self, *, candidate_erred: bool, baseline_erred: bool, policy: PairedPolicy) -> "PairedTest":
        """Return the test after one more pair."""
        if candidate_erred == baseline_erred:
            return msgspec.structs.replace(self, pairs=self.pairs + 1)
        share = policy.worse_share
        gain = math.log(2 * (share if candidate_erred else 1 - share))
        return PairedTest(
            pairs=self.pairs + 1, only_candidate=self.only_candidate + candidate_erred,
            only_baseline=self.only_baseline + baseline_erred, log_wealth=self.log_wealth + gain,
        )  # fmt: skip

    def finding(self, policy: PairedPolicy) -> Finding:
        """Return what holds now; whoever acts on the first finding that is not open keeps both error rates."""
        if self.log_wealth >= -math.log(policy.false_abort):
            return Finding.WORSE
        if -self.log_wealth >= -math.log(policy.false_promotion):
            return Finding.NOT_WORSE
        return Finding.OPEN
