"""Puts what the agent measures of itself around it: who asks the policy, what is sent, what is committed."""

from __future__ import annotations

import structlog

from agent.campaign.state import Campaign
from agent.runtime.policy_runner import PolicyRunner
from agent.runtime.tracing.attempts import AttemptTraces
from agent.runtime.tracing.timing import TimedPolicyRunner, TimingLog, Timings
from agent.runtime.tracing.transport import TracedTransport
from agent.runtime.transaction import Transaction
from protocols.link.transport import Transport
from protocols.tracing.otlp import open_export
from protocols.tracing.settings import TracingSettings

SERVICE = "entropilot-agent"


class Edge:
    """What is around an agent to measure it.

    Args:
        timings: How long things take.
        log: Says so now and then.
        traces: Makes spans; None where nothing is traced.
    """

    def __init__(self, timings: Timings, log: TimingLog, traces: AttemptTraces | None) -> None:
        self._timings = timings
        self._log = log
        self._traces = traces

    @property
    def is_traced(self) -> bool:
        """Whether there are traces."""
        return self._traces is not None

    def policy_runner(self, inner: PolicyRunner) -> PolicyRunner:
        """Return what runs the policy, measured."""
        return TimedPolicyRunner(inner, self._timings)

    def transport(self, inner: Transport) -> Transport:
        """Return the link, with notes of requests where there are traces."""
        return inner if self._traces is None else TracedTransport(inner, self._traces)

    def written(self, start_ns: int, end_ns: int) -> None:
        """Count a commit that began and ended then [ns since 1970]."""
        self._timings.committed(start_ns, end_ns)

    def committed(self, transaction: Transaction) -> None:
        """Take a transaction after its commit."""
        if self._traces is not None:
            self._traces.committed(transaction, self._timings.written)
        self._log.note()

    def close(self) -> None:
        """Log the counts, and give what is left of the traces away."""
        self._log.log()
        if self._traces is not None:
            self._traces.close()


def edge_of(settings: TracingSettings, campaign: Campaign, logger: structlog.typing.FilteringBoundLogger) -> Edge:
    """Return what measures the agent of a campaign.

    Raises:
        ExtraMissingError: When traces are wanted and the extra `otel` is not there.
    """
    timings = Timings()
    export = open_export(settings, SERVICE, {"entropilot.campaign": campaign.plan.campaign})
    traces = None
    if export is not None:
        traces = AttemptTraces(export, timings, lambda: campaign.in_flight, on_event=logger.warning)
    return Edge(timings, TimingLog(logger, timings), traces)
