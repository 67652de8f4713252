"""What takes time: why a decision was made, what another policy would have done, the whole check, two runs compared."""

from __future__ import annotations

from http import HTTPStatus

from agent.acquisition.built_in import BUILT_IN
from protocols.settings.plug_ins import POLICIES, plug_in_names
from scenarios.watch.serving.desk import SourceDesk
from scenarios.watch.serving.refusals import Refusal
from scenarios.watch.serving.told import PolicyListing
from scenarios.watch.state.answers import Comparison, Explanation, Verified, WhatIf
from scenarios.watch.state.trust import Trust


class Questions:
    """Answers what takes time.

    Args:
        desk: Reads the runs.
    """

    def __init__(self, desk: SourceDesk) -> None:
        self._desk = desk

    async def why(self, key: str, decision: int) -> Explanation:  # noqa: ARG002
        """Return why a decision was made."""
        raise _not_yet()

    async def what_if(self, key: str, policy: str, start: int) -> WhatIf:  # noqa: ARG002
        """Return what another policy would have done."""
        raise _not_yet()

    async def verify(self, key: str) -> Verified:  # noqa: ARG002
        """Return what the whole check found."""
        raise _not_yet()

    async def compare(self, left: str, right: str) -> Comparison:  # noqa: ARG002
        """Return two runs beside each other."""
        raise _not_yet()

    def with_check(self, key: str, trust: Trust) -> Trust:  # noqa: ARG002
        """Return what is told of trust, with the whole check where it was made."""
        return trust

    def policies(self) -> PolicyListing:
        """Return the policies that can be asked."""
        return PolicyListing(policies=tuple(dict.fromkeys((*BUILT_IN, *plug_in_names(POLICIES)))))

    def close(self) -> None:
        """End what is under way."""


def _not_yet() -> Refusal:
    return Refusal(HTTPStatus.NOT_IMPLEMENTED, "This server cannot answer that")
