"""What every assessment shares: facts at the door, limits, rules with their flip cases, judgement and snapshots."""

from tradeworthy.operations.assessments.framework.assessment import Assessment as Assessment
from tradeworthy.operations.assessments.framework.assessment import Child as Child
from tradeworthy.operations.assessments.framework.cases import Case as Case
from tradeworthy.operations.assessments.framework.finding import Category as Category
from tradeworthy.operations.assessments.framework.limits import at_least as at_least
from tradeworthy.operations.assessments.framework.limits import at_most as at_most
from tradeworthy.operations.assessments.framework.limits import below as below
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy as AssessmentPolicy
from tradeworthy.operations.assessments.framework.primitives import Verdict as Verdict
from tradeworthy.operations.assessments.framework.rules import age as age
from tradeworthy.operations.assessments.framework.rules import custom as custom
from tradeworthy.operations.assessments.framework.rules import equals as equals
from tradeworthy.operations.assessments.framework.rules import missing_of as missing_of
from tradeworthy.operations.assessments.framework.rules import one_of as one_of
from tradeworthy.operations.assessments.framework.rules import quantile as quantile
from tradeworthy.operations.assessments.framework.rules import ratio as ratio
from tradeworthy.operations.assessments.framework.rules import required as required
from tradeworthy.operations.assessments.framework.rules import threshold as threshold
from tradeworthy.operations.assessments.framework.series_rules import budget_burn as budget_burn
from tradeworthy.operations.assessments.framework.series_rules import coverage as coverage
from tradeworthy.operations.assessments.framework.series_rules import drift as drift
from tradeworthy.operations.assessments.framework.series_rules import streak as streak
from tradeworthy.operations.assessments.framework.series_rules import window_count as window_count
from tradeworthy.operations.assessments.framework.values import FactSpec as FactSpec
from tradeworthy.operations.assessments.framework.values import Kind as Kind
