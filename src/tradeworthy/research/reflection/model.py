"""Four linear heads over the features of a strategy, each with its own confidence (RF-04)."""

import hashlib
import math

import msgspec

from tradeworthy.research.reflection.features import FEATURES, Features

SCHEMA, BIAS = "rim_model@1", "bias"
BRIER_MAX = 0.12
"""A model that was not scored on labelled replays, or scored worse, suggests in shadow only."""


class ReflectionModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The coefficients by feature; `bias` is the constant.

    weight_clip  the most that a weight may be moved by;  brier  the score on labelled replays, None unscored

    Raises `ValueError` for a coefficient of no known feature, one that is not finite, and one that changes nothing.
    """

    schema: str = SCHEMA
    weight: dict[str, float] = msgspec.field(default_factory=lambda: {
        "log_n": 0.04, "mean_r": 0.9, "sd_r": -0.35, "risk": -0.25, "win": 0.35, "loss": -0.45, "volatility": -0.15,
        "spread": -0.05, "belief": 0.5, "trend": 0.6, "drawdown": -0.3,
    })  # fmt: skip
    flag: dict[str, float] = msgspec.field(default_factory=lambda: {
        "risk": 2.4, "loss": 1.6, "mean_r": -1.1, "sd_r": 0.8, "drawdown": 0.9, BIAS: -0.3
    })  # fmt: skip
    experiment: dict[str, float] = msgspec.field(default_factory=lambda: {
        "volatility": 1.0, "abs_trend": 0.8, "spread": -0.2, "belief": 0.4, BIAS: -0.15
    })  # fmt: skip
    confidence: dict[str, float] = msgspec.field(default_factory=lambda: {
        "win": 1.4, "loss": -0.8, "risk": -0.9, "belief": 0.8, "mean_r": 0.6, BIAS: 0.1
    })  # fmt: skip
    weight_clip: float = 0.3
    brier: float | None = None

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(f"expected schema {SCHEMA}, found {self.schema!r}")
        for head in ("weight", "flag", "experiment", "confidence"):
            for name, value in getattr(self, head).items():
                if name not in FEATURES and name != BIAS:
                    raise ValueError(f"{head}.{name} must be one of {', '.join(FEATURES)}, was none")
                if not math.isfinite(value) or value == 0:
                    raise ValueError(f"{head}.{name} must change something, was {value}")
        if not 0 < self.weight_clip <= 1:
            raise ValueError(f"weight_clip must be in (0, 1], was {self.weight_clip}")

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the model's canonical JSON."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def shadow(self) -> bool:
        """Whether nothing that it suggests may ever be more than shown."""
        return self.brier is None or self.brier > BRIER_MAX

    def weight_delta(self, features: Features) -> float:
        """Return by how much a strategy's weight should move, within the clip."""
        return max(-self.weight_clip, min(self.weight_clip, _sum(self.weight, features)))

    def flag_score(self, features: Features) -> float:
        """Return how surely a strategy should be looked at, in (0, 1)."""
        return _sigmoid(_sum(self.flag, features))

    def experiment_score(self, features: Features) -> float:
        """Return how surely an experiment would tell something, in (0, 1)."""
        return _sigmoid(_sum(self.experiment, features))

    def confidence_score(self, features: Features) -> float:
        """Return the confidence in a change of weight or an experiment, in (0, 1)."""
        return _sigmoid(_sum(self.confidence, features))


def _sum(head: dict[str, float], features: Features) -> float:
    """Return the head's sum; a feature that is missing is left out."""
    return math.fsum(
        value if name == BIAS else value * features[name]
        for name, value in sorted(head.items())
        if name == BIAS or name in features
    )


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
