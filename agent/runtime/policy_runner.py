"""Where the policy runs: inline in the agent's own transaction, or in a child process, off the event loop.

A thread would not do: a fit holds the interpreter for 60 to 130 ms at a time and the link's keep-alive with it.
A child that dies with a question open is asked once more: a policy is a pure function of its context, so whoever
ended it (an operator, the kernel when memory is short) changes no decision. One that dies twice is at fault itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Protocol

from agent.acquisition.base import AcquisitionContext, Policy, PoolArrays, Proposal, Proposer
from agent.acquisition.registry import make_policy, runs_inline
from agent.runtime.packed_indices import PackedIndices
from protocols.concurrency.child import Child, ChildDied, serve
from protocols.errors import CampaignHalted
from protocols.settings.user_code import INSTALLED, CodeSource


class PolicyRunner(Proposer, Protocol):
    """Proposes candidates, where the policy runs."""

    async def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose, off the event loop where that is dear."""
        ...

    async def close(self) -> None:
        """Release what it holds."""
        ...


class InlinePolicyRunner:
    """Runs a policy inside the transaction: for policies of microseconds."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose at once.

        Raises:
            CampaignHalted: When the policy failed; the campaign can be resumed with a fixed one.
        """
        name = type(self._policy).__name__
        try:
            answer = self._policy.propose(context, count)
        except Exception as error:
            raise _halted(name, f"{type(error).__name__}: {error}") from error
        return _proposal(answer, name)

    async def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose at once; see `propose_inline`."""
        return self.propose_inline(context, count)

    async def close(self) -> None:
        """Nothing is held."""


class ChildPolicyRunner:
    """Runs a policy in a child process that holds the pool; only what changes is sent with each question.

    Args:
        pool: The pool's arrays, sent once; what has joined it is sent with the first question about it.
        policy: Built-in name, or class of the user's own.
        options: The policy's options.
        code: Where a class of the user's own may come from.
        on_death: Told why a child died that is started anew and asked once more.
    """

    def __init__(
        self,
        pool: PoolArrays,
        policy: str,
        options: Mapping[str, Any],
        code: CodeSource = INSTALLED,
        on_death: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self._opening = (pool, policy, dict(options), code)
        self._pool = self._sent = pool
        self._policy = policy
        self._on_death = on_death
        self._child = Child("agent.runtime.policy_runner")

    def propose_inline(self, context: AcquisitionContext, count: int) -> None:  # noqa: ARG002 - the protocol's signature
        """Not now: the transaction would wait for a fit."""
        return

    async def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose in the child process, starting it when needed.

        Raises:
            CampaignHalted: When the policy failed; the campaign can be resumed with a fixed one.
        """
        try:
            frame = await self._ask(context, count)
        except ChildDied as first:
            self._on_death(first.reason)
            try:
                frame = await self._ask(context, count)
            except ChildDied as second:
                raise _halted(self._policy, f"{second.reason} (asked twice, in a new process)") from None
        failure, answer = pickle.loads(frame)  # noqa: S301 - our own child's pipe
        if failure:
            raise _halted(self._policy, failure)
        return _proposal(answer, self._policy)

    async def close(self) -> None:
        """End the child process."""
        await self._child.stop()

    async def _ask(self, context: AcquisitionContext, count: int) -> bytes:
        if not self._child.is_running:
            await self._child.start()
            await self._child.ask(pickle.dumps(self._opening))
            self._sent = self._pool
        joined = None if context.pool is self._sent else context.pool.beyond(len(self._pool.candidate_ids))
        answer = await self._child.ask(_question(context, count, joined))
        self._sent = context.pool  # only now: who gives up a question cannot know whether it was read
        return answer


class RunnerWithRest:
    """Runs the campaign's own policy, and where a context names another one, that: the rest of a budget is decided so.

    The process of the one that is not asked any more is ended; it starts again, should it be asked again.

    Args:
        own: Runs the campaign's own policy.
        make: Makes what runs a built-in policy, by its name.
    """

    def __init__(self, own: PolicyRunner, make: Callable[[str], PolicyRunner]) -> None:
        self._runners = {"": own}
        self._make = make
        self._last = own

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal | None:
        """Propose at once, if the policy that is meant does."""
        return self._meant(context).propose_inline(context, count)

    async def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Let the policy that is meant propose."""
        last, self._last = self._last, self._meant(context)
        if last is not self._last:
            await last.close()
        return await self._last.propose(context, count)

    async def close(self) -> None:
        """End the processes that are open."""
        for runner in self._runners.values():
            await runner.close()

    def _meant(self, context: AcquisitionContext) -> PolicyRunner:
        if context.policy not in self._runners:
            self._runners[context.policy] = self._make(context.policy)
        return self._runners[context.policy]


def make_policy_runner(
    pool: PoolArrays,
    policy: str,
    options: Mapping[str, Any],
    code: CodeSource = INSTALLED,
    on_death: Callable[[str], None] = lambda _reason: None,
) -> PolicyRunner:
    """Return the acquirer that suits a policy.

    Args:
        pool: The pool's arrays.
        policy: Built-in name, or class of the user's own.
        options: The policy's options.
        code: Where a class of the user's own may come from.
        on_death: Told why a policy's process died that is started anew and asked once more.

    Raises:
        SettingsError: When there is no such policy, or it does not take these options.
    """

    def runner(name: str, its: Mapping[str, Any], source: CodeSource) -> PolicyRunner:
        instance = make_policy(name, its, source)
        return (
            InlinePolicyRunner(instance)
            if runs_inline(instance)
            else ChildPolicyRunner(pool, name, its, source, on_death)
        )

    return RunnerWithRest(runner(policy, options, code), lambda name: runner(name, {}, INSTALLED))


def _proposal(answer: object, policy: str) -> Proposal:
    if not isinstance(answer, Proposal):
        raise _halted(policy, f"its method propose returned a {type(answer).__name__}")
    return answer


def _halted(policy: str, reason: str) -> CampaignHalted:
    return CampaignHalted(
        f"Policy {policy!r} failed: {reason}",
        expected="a Proposal (agent.acquisition.base) from propose(self, context, count)",
        action="correct the policy or its options, then run again with --resume",
    )


def _question(context: AcquisitionContext, count: int, joined: PoolArrays | None) -> bytes:
    """Write a question; `joined` has joined the pool of the opening, and is None where that is as it was last."""
    parts = {each.name: getattr(context, each.name) for each in fields(context) if each.name != "pool"}
    parts["available"] = PackedIndices.of(context.available)
    return pickle.dumps((joined, *parts.values(), count), protocol=pickle.HIGHEST_PROTOCOL)


def _main() -> None:
    """Serve proposals; runs in the child. An answer is (why it failed, or nothing; what the policy returned)."""
    start: PoolArrays | None = None
    pool: PoolArrays | None = None
    policy: Policy | None = None

    def answer(frame: bytes) -> bytes:
        nonlocal start, pool, policy
        content = pickle.loads(frame)  # noqa: S301 - our own parent's pipe
        if start is None or pool is None or policy is None:
            start, name, options, code = content
            pool, policy = start, make_policy(name, options, code)
            return pickle.dumps(None)
        joined, *parts, count = content
        if joined is not None:
            pool = start.followed_by(joined) if joined.candidate_ids else start
        parts = [each.unpacked() if isinstance(each, PackedIndices) else each for each in parts]
        try:
            return pickle.dumps(("", policy.propose(AcquisitionContext(pool, *parts), count)))
        except Exception as error:  # noqa: BLE001 - a user's policy may raise anything; it is told, not lost
            return pickle.dumps((f"{type(error).__name__}: {error}", None))

    serve(answer)


if __name__ == "__main__":
    _main()
