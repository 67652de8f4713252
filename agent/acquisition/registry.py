"""From the name of a policy in the settings to the policy: built-in names, or a user's own class.

Built-in policies are named by the same `package.module:Class` as a user's, and imported when asked for, so that the
command line does not load SciPy for its help. Where a user's class is found: `protocols.settings.user_code`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Final

from agent.acquisition.base import AcquisitionContext, MeteringPolicy, Policy, PoolArrays, Proposal
from agent.acquisition.built_in import BUILT_IN
from agent.metrics import Meter, Metric, SeededMeter
from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean, nearest_name
from protocols.settings.user_code import EXPECTED, INSTALLED, CodeSource, Role, code_digest, load_class, split_name

FINGERPRINT_LENGTH: Final = 12
"""Hexadecimal digits of a fingerprint: 48 bits tell apart all policies that one person will ever run."""

POLICY: Final = Role("policy", "propose", "propose(self, context, count) -> Proposal")
"""What a class of the user's own must be."""

FINGERPRINTED_PACKAGES: Final = ("entropilot", "numpy", "scipy")
"""Packages whose versions may change a decision."""


def make_policy(name: str, options: Mapping[str, object], code: CodeSource = INSTALLED) -> Policy:
    """Make the policy that the settings name.

    Args:
        name: A built-in name, or `module:Class` or `path/to/file.py:Class` of a class with a `propose` method.
        options: Its keyword arguments.
        code: Where a class of the user's own may come from.

    Raises:
        SettingsError: On an unknown name, a module or class that cannot be had, or options that it does not accept.
    """
    found = _policy_class(name, code)
    try:
        inspect.signature(found).bind(**options)
    except TypeError as error:
        raise _wrong_options(name, found, options, str(error)) from error
    try:
        policy = found(**options)
    except (TypeError, ValueError) as error:
        raise _wrong_options(name, found, options, str(error)) from error
    if not isinstance(policy, Policy):
        raise SettingsError(
            f"The policy {name!r} made a {type(policy).__name__}, which has no method propose",
            expected="an object with propose(context, count)",
        )
    return policy


def make_policies(name: str, options: Mapping[str, object], code: CodeSource = INSTALLED, *, rest: str = "") -> Policy:
    """Make the policy that the settings name, with the one that may decide the rest of the budget.

    Args:
        name: As of `make_policy`.
        options: Of the named policy; the other one has its defaults.
        code: Where a class of the user's own may come from.
        rest: Built-in name of the other policy; empty where no stop rule asks for one.

    Raises:
        SettingsError: As of `make_policy`, of either.
    """
    own = make_policy(name, options, code)
    if rest:
        make_policy(rest, {})  # before a campaign relies on it
    return PolicyWithRest(own)


class PolicyWithRest:
    """The campaign's own policy, and where a context names another one, that: the rest of a budget is decided so.

    Args:
        own: The campaign's own policy.
    """

    def __init__(self, own: Policy) -> None:
        self._policies = {"": own}

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Let the one that is meant choose."""
        if context.policy not in self._policies:
            self._policies[context.policy] = make_policy(context.policy, {})
        return self._policies[context.policy].propose(context, count)


def runs_inline(policy: Policy) -> bool:
    """Tell whether a policy may decide in the agent's own transaction; a class says so by `runs_inline = True`."""
    return bool(getattr(policy, "runs_inline", False))


def grows_pool(name: str, code: CodeSource = INSTALLED) -> bool:
    """Tell whether a policy may make candidates that join the pool; a class says so by `grows_pool = True`.

    Args:
        name: Of the policy.
        code: Where a class of the user's own may come from.

    Raises:
        SettingsError: When there is no such policy.
    """
    return bool(getattr(_policy_class(name, code), "grows_pool", False))


def uses_fidelities(name: str, code: CodeSource = INSTALLED) -> bool:
    """Tell whether a policy chooses among measurements by all methods; arguments and errors as `grows_pool`.

    A class says so by `uses_fidelities = True`; of any other what it chooses is asked for by the target method.
    """
    return bool(getattr(_policy_class(name, code), "uses_fidelities", False))


def require_fixed_pool(name: str, code: CodeSource = INSTALLED) -> None:
    """Refuse a policy that makes candidates of its own, where nobody would measure them; arguments as `grows_pool`.

    Raises:
        SettingsError: When it is one, or there is no such policy.
    """
    if grows_pool(name, code):
        raise SettingsError(
            f"The policy {name!r} makes candidates of its own, and nobody measures them here",
            expected="a policy that chooses among the candidates of the pool",
            action="`entropilot run` with a lab that measures; or name another policy",
        )


def declared_metrics(
    name: str, options: Mapping[str, object], unit: str, pool: PoolArrays, code: CodeSource = INSTALLED
) -> tuple[Metric, ...]:
    """Return the metrics that a policy declares beside those of the bias; none where it declares none.

    Args:
        name: Of the policy.
        options: Its options.
        unit: Of the campaign's property.
        pool: The pool.
        code: Where a class of the user's own may come from.

    Raises:
        SettingsError: As of `make_policy`; or when it declares a name twice.
    """
    policy = make_policy(name, options, code)
    declared = tuple(policy.metrics(unit, pool)) if isinstance(policy, MeteringPolicy) else ()
    names = [metric.name for metric in declared]
    if len(set(names)) < len(names):
        raise SettingsError(
            f"The policy {name!r} declares the metrics {', '.join(names)}",
            expected="every name once",
            action="correct its method metrics",
        )
    return declared


def make_meter(
    name: str,
    options: Mapping[str, object],
    pool: PoolArrays,
    properties: tuple[str, ...],
    code: CodeSource = INSTALLED,
    *,
    seed: int = 0,
) -> Meter:
    """Return what computes the metrics that a policy declares.

    Args:
        name: Of the policy.
        options: Its options.
        pool: The pool.
        properties: Names of the campaign's properties, in its order.
        code: Where a class of the user's own may come from.
        seed: Of the campaign.

    Raises:
        SettingsError: As of `make_policy`; or when it declares none.
    """
    policy = make_policy(name, options, code)
    if not isinstance(policy, MeteringPolicy):
        raise SettingsError(
            f"The policy {name!r} declares no metrics",
            expected="methods metrics(unit, pool) and meter(pool, properties) (agent.acquisition.base.MeteringPolicy)",
        )
    meter = policy.meter(pool, properties)
    if isinstance(meter, SeededMeter):
        meter.begin(seed)
    return meter


def policy_fingerprint(name: str, options: Mapping[str, object], code: CodeSource = INSTALLED) -> str:
    """Return a short digest of all that, besides the context, a decision may depend on.

    SHA-256 over the name, the options, the versions of this program, NumPy and SciPy, and the content of a file of the
    user's own. The code of an installed module is not part of it.
    """
    versions = {package: importlib.metadata.version(package) for package in FINGERPRINTED_PACKAGES}
    digest = "" if name in BUILT_IN else code_digest(name, code)
    decisive = [name, dict(options), versions, *([digest] if digest else [])]
    canonical = json.dumps(decisive, sort_keys=True, default=repr)
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def _policy_class(name: str, code: CodeSource) -> type:
    if name in BUILT_IN:
        return load_class(BUILT_IN[name], INSTALLED, POLICY)
    if split_name(name) == ("", ""):
        raise SettingsError(
            f"There is no policy {name!r}",
            expected=f"one of {', '.join(sorted(BUILT_IN))}, or {EXPECTED}",
            action=did_you_mean(name, BUILT_IN),
        )
    return load_class(name, code, POLICY)


def _wrong_options(name: str, found: type, options: Mapping[str, object], what: str) -> SettingsError:
    parameters = inspect.signature(found).parameters
    accepted = ", ".join(map(str, parameters.values()))
    return SettingsError(
        f"The policy {name!r} cannot be made with these options ({what})",
        expected=f"of these: {accepted}" if accepted else "no options",
        action=f"{_nearest_option(options, list(parameters)) or 'correct the options'} in [campaign.policy_options]",
    )


def _nearest_option(options: Mapping[str, object], parameters: Sequence[str]) -> str:
    """Return what to write instead of the first option that the policy does not take; nothing where none is near."""
    unknown = [option for option in options if option not in parameters]
    near = nearest_name(unknown[0], parameters) if unknown else None
    return "" if near is None else f"use {near} instead of {unknown[0]}"
