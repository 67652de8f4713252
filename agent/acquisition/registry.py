"""From the name of a policy in the settings to the policy: built-in names, or a user's own class.

Built-in policies are named by the same `package.module:Class` as a user's, and imported when asked for, so that the
command line does not load SciPy for its help.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
import json
from collections.abc import Mapping
from typing import Final

from agent.acquisition.base import Policy
from agent.acquisition.built_in import BUILT_IN
from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean

FINGERPRINT_LENGTH: Final = 12
"""Hexadecimal digits of a fingerprint: 48 bits tell apart all policies that one person will ever run."""

FINGERPRINTED_PACKAGES: Final = ("entropilot", "numpy", "scipy")
"""Packages whose versions may change a decision."""


def make_policy(name: str, options: Mapping[str, object]) -> Policy:
    """Make the policy that the settings name.

    Args:
        name: A built-in name, or `package.module:Class` of a class with a `propose` method.
        options: Its keyword arguments.

    Raises:
        SettingsError: On an unknown name, a module or class that cannot be had, or options that it does not accept.
    """
    found = _policy_class(name)
    try:
        inspect.signature(found).bind(**options)
    except TypeError as error:
        raise _wrong_options(name, found, str(error)) from error
    try:
        policy = found(**options)
    except (TypeError, ValueError) as error:
        raise _wrong_options(name, found, str(error)) from error
    if not isinstance(policy, Policy):
        raise SettingsError(
            f"The policy {name!r} made a {type(policy).__name__}, which has no method propose",
            expected="an object with propose(context, count)",
        )
    return policy


def is_cheap(policy: Policy) -> bool:
    """Tell whether a policy may decide in the agent's own step; a class says so by `cheap = True`."""
    return bool(getattr(policy, "cheap", False))


def policy_fingerprint(name: str, options: Mapping[str, object]) -> str:
    """Return a short digest of all that, besides the context, a decision may depend on.

    SHA-256 over the name, the options and the versions of this program, NumPy and SciPy. The code of a user's own
    policy is not part of it.
    """
    versions = {package: importlib.metadata.version(package) for package in FINGERPRINTED_PACKAGES}
    canonical = json.dumps([name, dict(options), versions], sort_keys=True, default=repr)
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def _policy_class(name: str) -> type:
    target = BUILT_IN.get(name, name)
    module_name, colon, class_name = target.partition(":")
    if not (colon and module_name and class_name):
        raise SettingsError(
            f"There is no policy {name!r}",
            expected=f"one of {', '.join(sorted(BUILT_IN))}, or package.module:Class of your own",
            action=did_you_mean(name, BUILT_IN),
        )
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a user's module may raise anything
        raise SettingsError(
            f"The module {module_name!r} of the policy {name!r} cannot be imported ({type(error).__name__}: {error})",
            expected="a module on the Python path",
            action="install the package, or start in its folder",
        ) from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type) or not callable(getattr(found, "propose", None)):
        lacking = "no such class" if not isinstance(found, type) else "a class without a method propose"
        raise SettingsError(
            f"The policy {name!r} names {lacking}",
            expected=f"a class {class_name} in {module_name} with propose(self, context, count)",
        )
    return found


def _wrong_options(name: str, found: type, what: str) -> SettingsError:
    accepted = ", ".join(str(parameter) for parameter in inspect.signature(found).parameters.values())
    return SettingsError(
        f"The policy {name!r} cannot be made with these options ({what})",
        expected=f"of these: {accepted}" if accepted else "no options",
        action="correct [policy_options]",
    )
