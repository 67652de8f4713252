"""What a language model can ask: the tools of the server, each a function of plain values.

All but one only read. `propose_control` writes a proposal down; nothing here carries one out.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from protocols.errors import SettingsError
from protocols.wire.limits import MAX_TEXT_LENGTH
from protocols.wire.messages import cut
from scenarios.control.orders import Wanted
from scenarios.mcp_server.answers import answer
from scenarios.mcp_server.proposal import Proposal, require_proposable
from scenarios.mcp_server.proposals import ProposalFolder
from scenarios.mcp_server.questions import Questions
from scenarios.mcp_server.shelf import Shelf
from scenarios.watch.reading.answers.comparison import compare_runs
from scenarios.watch.reading.answers.question import AskedRun
from scenarios.watch.reading.source import DatasetOrder, Source

MAX_PAGE: Final = 100
"""Most rows of one answer."""

Run = Annotated[str, Field(description="Key of the run, as list_runs gives it; empty where there is one only.")]
Limit = Annotated[int, Field(ge=1, le=MAX_PAGE, description=f"Most rows, at most {MAX_PAGE}.")]
Offset = Annotated[int, Field(ge=0, description="Number of the first row, from 0.")]
Observation = Annotated[
    int | None, Field(ge=0, description="As it stood after this observation, 0 being the start set; null: now.")
]


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools.

    Attributes:
        shelf: The runs that may be read.
        questions: Answers what takes seconds.
        proposals: Where proposals go; None where nothing can be proposed.
        database: Of the only run, where it is elsewhere.
    """

    shelf: Shelf
    questions: Questions
    proposals: ProposalFolder | None
    database: str | None = None

    def list_runs(self) -> str:
        """List the runs: phase, policy, what is spent of the budget, starved family, bias now and at the start."""
        return answer(self.shelf.cards())

    def campaign(self, run: Run = "") -> str:
        """Tell what a campaign is: property and unit, policy, families, metrics and which way of each is good."""
        return self._read(run, lambda source: source.campaign())

    def moment(self, run: Run = "", observation: Observation = None) -> str:
        """Tell how a campaign stands, or stood: phase, entropy of every family, bias, requests, last decision."""
        return self._read(run, lambda source: source.moment(observation))

    def decisions(self, run: Run = "", offset: Offset = 0, limit: Limit = 20) -> str:
        """List decisions by number: what was chosen, why, what was expected and what was measured."""
        return self._read(run, lambda source: source.decisions(offset, limit))

    def decision(self, number: Annotated[int, Field(ge=0, description="Its number, from 0.")], run: Run = "") -> str:
        """Tell one decision: candidates with scores and predictions, runner-up, reason, what came of it."""
        return self._read(run, lambda source: source.decision(number))

    def why(self, decision: Annotated[int, Field(ge=0, description="Its number, from 0.")], run: Run = "") -> str:
        """Explain a decision from what was known then, and ask the policy whether it would decide the same today."""
        return answer(self.questions.why(self._asked(run), decision))

    def dataset(
        self,
        *,
        run: Run = "",
        observation: Observation = None,
        offset: Offset = 0,
        limit: Limit = 50,
        family: Annotated[str | None, Field(max_length=300, description="Of this family alone.")] = None,
        text: Annotated[str, Field(max_length=200, description="With this in the name or id.")] = "",
        order: Annotated[DatasetOrder, Field(description="By what; with a minus the largest first.")] = "sequence",
    ) -> str:
        """List measured values: candidate, family, value with uncertainty and unit, who measured it and when."""
        return self._read(
            run,
            lambda source: source.dataset(
                at=observation, offset=offset, limit=limit, family=family, text=text, order=order
            ),
        )

    def journal(
        self,
        *,
        run: Run = "",
        after: Annotated[int, Field(ge=0, description="Behind this row.")] = 0,
        limit: Limit = 50,
        kind: Annotated[str | None, Field(max_length=100, description="Of this kind alone, as DecisionMade.")] = None,
        candidate: Annotated[str | None, Field(max_length=200, description="About this candidate's id alone.")] = None,
        operator: Annotated[str | None, Field(max_length=200, description="Ordered by this operator alone.")] = None,
        tail: Annotated[bool, Field(description="The last rows that fit, in place of the first.")] = False,
    ) -> str:
        """Search the journal, which holds all that happened: every row in words, with its number, time and content."""
        return self._read(
            run,
            lambda source: source.journal(
                after=after, limit=limit, kind=kind, candidate=candidate, operator=operator, tail=tail
            ),
        )

    def instruments(self, run: Run = "") -> str:
        """Tell of the instruments: whether they are there, what they have in flight, what failed and why."""
        return self._read(run, lambda source: source.instruments())

    def trust(self, run: Run = "") -> str:
        """Tell how far a run can be trusted: chain of digests, messages in quarantine, counts."""
        return self._read(run, lambda source: source.trust())

    def verify(self, run: Run = "") -> str:
        """Check everything that a run wrote against everything else; takes seconds."""
        return answer(self.questions.verify(self._asked(run)))

    def compare(
        self,
        left: Annotated[str, Field(max_length=200, description="Key of a run.")],
        right: Annotated[str, Field(max_length=200, description="Key of another.")],
    ) -> str:
        """Compare two runs: the first decision that differs, what differs of their settings, and their figures."""
        with self.shelf.opened(left) as one, self.shelf.opened(right) as other:
            return answer(compare_runs(one, other))

    def what_if(
        self,
        policy: Annotated[str, Field(max_length=100, description="Name of a policy that is installed, as random.")],
        run: Run = "",
        from_decision: Annotated[int, Field(ge=0, description="The first decision that it makes, from 0.")] = 0,
    ) -> str:
        """Tell what another policy would have done from a decision on, with recorded answers; unknown ones count."""
        return answer(self.questions.what_if(self._asked(run), policy, from_decision))

    def propose(self, wanted: Wanted, reason: str, run: str, proposer: str) -> str:
        """Write a proposal down.

        Raises:
            SettingsError: When it cannot be meant, nothing can be proposed here, or too many wait.
            StoreError: When there is no such run.
        """
        if self.proposals is None:
            raise SettingsError("Nothing can be proposed here: the server was started with --read-only")
        reached = self.shelf.reached(run)
        with self.shelf.opened(run) as source:
            campaign, sequence = source.campaign(), source.version()
        require_proposable(wanted, campaign.property, campaign.unit)
        now = datetime.now(UTC)
        proposal = Proposal(
            id=secrets.token_hex(16),
            made_at=now,
            proposer=cut(proposer)[:200],
            run=campaign.key,
            folder=None if reached.folder is None else str(reached.folder),
            broker=reached.broker,
            campaign=campaign.name,
            uid=campaign.uid,
            sequence=sequence,
            verb=wanted.verb,
            words=wanted.words,
            unit=wanted.unit,
            standard_deviation=wanted.standard_deviation,
            reason=cut(reason),
        )
        self.proposals.add(proposal, now)
        return answer(
            {
                "proposal": proposal.id,
                "order": proposal.in_words,
                "state": "waiting for a person; nothing is carried out yet",
                "to_approve": f"a person types `entropilot proposals approve {proposal.id[:8]}` in a terminal, and the "
                "code that it shows there",
            }
        )

    def proposal(
        self,
        id: Annotated[str, Field(max_length=40, description="Id of the proposal, or its first digits.")],  # noqa: A002
    ) -> str:
        """Tell what became of a proposal: waiting, approved (with the agent's answer and journal row) or rejected."""
        if self.proposals is None:
            raise SettingsError("Nothing can be proposed here: the server was started with --read-only")
        return answer(self.proposals.get(id))

    def _read(self, run: str, read: Callable[[Source], Any]) -> str:
        with self.shelf.opened(run) as source:
            return answer(read(source))

    def _asked(self, run: str) -> AskedRun:
        """Return a run for what only a folder can answer.

        Raises:
            SettingsError: When it is reached over a broker.
        """
        folder = self.shelf.reached(run).folder
        if folder is None:
            raise SettingsError(
                "A broker does not tell a campaign's past",
                expected="a run folder",
                action="start the server where the agent works, with its folder of runs",
            )
        with self.shelf.opened(run) as source:
            return AskedRun(folder, self.database, source.campaign().uid, source.version())


Verb = Literal[
    "pause", "resume", "stop", "exclude", "requeue", "add-candidate", "add-result", "retract", "amend", "approve",
    "veto", "set-budget",
]  # fmt: skip
"""What can be proposed: what `entropilot control` takes."""

MAX_REASON: Final = MAX_TEXT_LENGTH
