"""What a job description may say: actions that systems offer, limits in plain words, cost rates as exact numbers."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

BLUEPRINT_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
RATES = {"run": "per run", "1k_tokens": "per 1,000 tokens", "hour": "per hour"}
SCOPE_AT_MOST, NAME_AT_MOST, LIMIT_AT_MOST = 12, 60, 200
RATE_BELOW = Decimal(1_000_000)
_FIELDS = {"system", "action", "scope"}


CAPABILITY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
CAPABILITIES_AT_MOST, WORK_LIMIT_AT_MOST = 30, 1000


def wrong_with_capabilities(capabilities: Any) -> str:
    """What is wrong with the words that steps may ask for, empty when nothing is."""
    if not isinstance(capabilities, list) or len(capabilities) > CAPABILITIES_AT_MOST:
        return f"Send a list of at most {CAPABILITIES_AT_MOST} words."
    odd = [each for each in capabilities if not (isinstance(each, str) and CAPABILITY.fullmatch(each))]
    if odd:
        return f"“{odd[0]}” is no word for a capability: use 1 to 60 small letters, digits or hyphens, as in german."
    twice = [each for each in capabilities if capabilities.count(each) > 1]
    return f"{twice[0]} is named twice." if twice else ""


def wrong_with_work_limit(limit: Any) -> str:
    """What is wrong with the number of steps that an agent may hold at once, empty when nothing is."""
    if type(limit) is int and 0 <= limit <= WORK_LIMIT_AT_MOST:
        return ""
    return f"The limit is a whole number up to {WORK_LIMIT_AT_MOST:,}; 0 is no limit."


def wrong_with_actions(actions: Any, offered: Mapping[str, Collection[str]]) -> str:
    """What is wrong with the allowed actions, empty when nothing is; `offered` are the actions by system."""
    if not isinstance(actions, list):
        return "Send a list of actions."
    seen: set[tuple[str, str]] = set()
    for item in actions:
        wrong = _wrong_with_action(item, offered)
        if wrong:
            return wrong
        named = (item["system"], item["action"])
        if named in seen:
            return f"{item['action']} of {item['system']} is named twice."
        seen.add(named)
    return ""


def _wrong_with_action(item: Any, offered: Mapping[str, Collection[str]]) -> str:
    if not (isinstance(item, Mapping) and set(item) == _FIELDS):
        return "Each action has system, action and scope."
    system, action = item["system"], item["action"]
    if not (isinstance(system, str) and system in offered):
        return f"There is no system {system}; known are {', '.join(sorted(offered)) or 'none'}."
    if not (isinstance(action, str) and action in offered[system]):
        return f"{system} offers no action {action}; it offers {', '.join(sorted(offered[system])) or 'none'}."
    return wrong_with_scope(item["scope"])


def wrong_with_scope(scope: Any) -> str:
    """What is wrong with the limits of an action, empty when nothing is."""
    if not isinstance(scope, Mapping) or len(scope) > SCOPE_AT_MOST:
        return f"A scope is at most {SCOPE_AT_MOST} limits by name."
    for name, limit in scope.items():
        if not (isinstance(limit, str) and limit.strip() and len(limit) <= LIMIT_AT_MOST):
            return f"The limit {name} is a text of 1 to {LIMIT_AT_MOST} characters."
        if not (name.strip() and len(name) <= NAME_AT_MOST):
            return f"The name of a limit has 1 to {NAME_AT_MOST} characters."
    return ""


def wrong_with_rates(rates: Any) -> str:
    """What is wrong with the cost rates, empty when nothing is."""
    if not isinstance(rates, Mapping) or not set(rates) <= set(RATES):
        return f"Rates are named {', '.join(RATES)}."
    for name, rate in rates.items():
        if not (isinstance(rate, str) and _is_amount(rate)):
            return f'The rate {name} is an exact number of 0 or more as text, as in "0.04".'
    return ""


def _is_amount(text: str) -> bool:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return amount.is_finite() and 0 <= amount < RATE_BELOW and len(text) <= 20
