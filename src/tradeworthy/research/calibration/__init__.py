"""Whether the simulated venue and the live one agree, and what to change when they do not (CR-01 to CR-07)."""

from tradeworthy.research.calibration.environment_parity import SessionFigures as SessionFigures
from tradeworthy.research.calibration.environment_parity import compare_environments as compare_environments
from tradeworthy.research.calibration.post_trade import judge_session as judge_session
from tradeworthy.research.calibration.post_trade import ramp_check as ramp_check
from tradeworthy.research.calibration.recalibration import propose as propose
from tradeworthy.research.calibration.shadow import Shadow as Shadow
from tradeworthy.research.calibration.shadow_parity import judge_shadow as judge_shadow
