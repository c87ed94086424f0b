"""Shadow: versions that are asked beside the rules that decide; what they say is recorded and never returned."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from governance.language import Schema
from governance.models import Decision, PolicyVersion, ShadowRuling
from governance.rules import RuleSet, covers, parse_policy
from governance.rules.recorded import reached_rules
from governance.rules.replaying import Replaying, band_of, cell_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Shadow:
    """One version in shadow, compiled; or why it cannot be."""

    version: int
    actions: frozenset[str]
    replaying: Replaying | None = None
    failure: str = ""

    def covers(self, action: str) -> bool:
        return any(covers(pattern, action) for pattern in self.actions)


@dataclass(frozen=True)
class Shadows:
    """The versions in shadow beside one set of rules. Whatever goes wrong with them, nobody who asks notices."""

    found: tuple[_Shadow, ...] = ()

    def cover(self, action: str) -> bool:
        """Whether any of them has something to say about this action."""
        return any(each.covers(action) for each in self.found)

    def groups(self, action: str) -> frozenset[str]:
        """The groups of facts that the versions in shadow read about this action."""
        about = [each.replaying for each in self.found if each.replaying is not None and each.covers(action)]
        return frozenset(path.partition(".")[0] for each in about for path in each.after.needs(action))

    def ask(self, decision: Decision, facts: dict[str, Any]) -> None:
        """Keep beside the decision what each version in shadow would have said to the same facts."""
        if not reached_rules(decision.because):
            return
        for shadow in self.found:
            if shadow.covers(decision.action):
                _ask(shadow, decision, facts)


def _ask(shadow: _Shadow, decision: Decision, facts: dict[str, Any]) -> None:
    try:
        with transaction.atomic():
            _keep(shadow, decision, _said(shadow, decision, facts))
    except Exception as error:
        log.exception("version %s in shadow could not be asked about decision %s", shadow.version, decision.pk)
        _keep_failure(shadow, decision, f"{type(error).__name__}")


def _said(shadow: _Shadow, decision: Decision, facts: dict[str, Any]) -> Mapping[str, Any]:
    if shadow.replaying is None:
        return {"before": decision.effect, "band": band_of(facts), "failure": shadow.failure}
    pair = shadow.replaying.decide(decision.action, facts)
    return cell_of(pair, agent=decision.agent_id, band=band_of(facts)).columns


def _keep(shadow: _Shadow, decision: Decision, said: Mapping[str, Any]) -> None:
    ShadowRuling.objects.create(decision=decision, version_id=shadow.version, at=decision.at, **said)


def _keep_failure(shadow: _Shadow, decision: Decision, failure: str) -> None:
    try:
        with transaction.atomic():
            _keep(shadow, decision, {"before": decision.effect, "band": "none", "failure": failure})
    except Exception:
        log.exception("that version %s in shadow failed could not be kept", shadow.version)


class _Shelf(threading.local):
    rules: RuleSet | None = None
    versions: tuple[int, ...] = ()
    shadows: Shadows = Shadows()


_shelf = _Shelf()


def shadows_now(rules: RuleSet, schema: Schema) -> Shadows:
    """The versions in shadow at this moment beside these rules, compiled once in each thread."""
    versions = tuple(PolicyVersion.objects.shadow().order_by("pk").values_list("pk", flat=True))
    if _shelf.rules is not rules or _shelf.versions != versions:
        rows = PolicyVersion.objects.filter(pk__in=versions).select_related("policy").order_by("pk")
        _shelf.shadows = Shadows(tuple(_compiled(version, rules, schema) for version in rows))
        _shelf.rules, _shelf.versions = rules, versions
    return _shelf.shadows


def _compiled(version: PolicyVersion, rules: RuleSet, schema: Schema) -> _Shadow:
    key = version.policy.key
    try:
        others = [policy for policy in rules.policies if policy.key != key]
        tried = Replaying(
            rules,
            RuleSet([*others, parse_policy(version.document, schema)], lists=rules.lists, like=rules),
            schema,
            key=key,
        )
        return _Shadow(version.pk, tried.patterns, tried)
    except Exception as error:
        log.warning("%s in shadow cannot be read: %s", version, error)
        actions = version.document.get("scope", {}).get("actions", ["*"])
        return _Shadow(version.pk, frozenset(actions), None, f"It cannot be read any more: {error}"[:2_000])
