"""How telemetry holds the desk: by one reason a code, in the owner's name that the wiring gives it (`bus`)."""

from typing import Protocol


class HoldPort(Protocol):
    """Pause the desk for a code, and take that reason alone away again; called on the loop's thread.

    A reason outlives the process that set it, so `release` also comes for what is not held, and does nothing then.
    """

    def hold(self, code: str, evidence: str) -> None: ...
    def release(self, code: str) -> None: ...
