"""The guard, its memory, the requests of people, and what they must sign."""

from tradeworthy.trading.control.approvals import Act as Act
from tradeworthy.trading.control.approvals import Approval as Approval
from tradeworthy.trading.control.approvals import ApprovalRefused as ApprovalRefused
from tradeworthy.trading.control.approvals import Pack as Pack
from tradeworthy.trading.control.approvals import Principal as Principal
from tradeworthy.trading.control.approvals import Principals as Principals
from tradeworthy.trading.control.approvals import SignedPack as SignedPack
from tradeworthy.trading.control.break_glass import BreakGlass as BreakGlass
from tradeworthy.trading.control.enabling import EnableRefused as EnableRefused
from tradeworthy.trading.control.enabling import EnableRequest as EnableRequest
from tradeworthy.trading.control.enabling import Enabling as Enabling
from tradeworthy.trading.control.forensic import SnapshotTaken as SnapshotTaken
from tradeworthy.trading.control.guard import Guard as Guard
from tradeworthy.trading.control.guard import HeldReason as HeldReason
from tradeworthy.trading.control.kill import KillRequest as KillRequest
from tradeworthy.trading.control.kill import KillSwitch as KillSwitch
from tradeworthy.trading.control.kill import PauseRequest as PauseRequest
from tradeworthy.trading.control.kill import Rearmed as Rearmed
from tradeworthy.trading.control.kill import RearmRefused as RearmRefused
from tradeworthy.trading.control.kill import RearmRequest as RearmRequest
from tradeworthy.trading.control.kill import ResumeRequest as ResumeRequest
from tradeworthy.trading.control.policy import PeoplePolicy as PeoplePolicy
from tradeworthy.trading.control.sentinel import SentinelPort as SentinelPort
