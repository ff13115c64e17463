"""Supervision: tasks with restarts, beats and bounded ends, and the process that watches from outside."""

from tradeworthy.kernel.supervision.policy import Criticality as Criticality
from tradeworthy.kernel.supervision.policy import Metadata as Metadata
from tradeworthy.kernel.supervision.policy import Response as Response
from tradeworthy.kernel.supervision.policy import RestartType as RestartType
from tradeworthy.kernel.supervision.policy import ScopePolicy as ScopePolicy
from tradeworthy.kernel.supervision.policy import Strategy as Strategy
from tradeworthy.kernel.supervision.policy import SupervisorPolicy as SupervisorPolicy
from tradeworthy.kernel.supervision.policy import TaskPolicy as TaskPolicy
from tradeworthy.kernel.supervision.scope import Scope as Scope
from tradeworthy.kernel.supervision.snapshot import AbandonedTask as AbandonedTask
from tradeworthy.kernel.supervision.snapshot import CancelReport as CancelReport
from tradeworthy.kernel.supervision.snapshot import EndedTask as EndedTask
from tradeworthy.kernel.supervision.snapshot import TaskSnapshot as TaskSnapshot
from tradeworthy.kernel.supervision.supervisor import EscalationPort as EscalationPort
from tradeworthy.kernel.supervision.supervisor import TaskSupervisor as TaskSupervisor
from tradeworthy.kernel.supervision.task import Pulse as Pulse
from tradeworthy.kernel.supervision.task import SupervisedTask as SupervisedTask
from tradeworthy.kernel.supervision.task import regular as regular
from tradeworthy.kernel.supervision.transitions import DeadlineExceeded as DeadlineExceeded
from tradeworthy.kernel.supervision.transitions import Escalated as Escalated
from tradeworthy.kernel.supervision.transitions import HeartbeatLost as HeartbeatLost
from tradeworthy.kernel.supervision.transitions import State as State
