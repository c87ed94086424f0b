"""Policies kept as files, in git for example: `manage.py policies check|apply FILE...`, `manage.py policies export`."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.models import Principal, Unit
from governance.language import Problem
from governance.models import Policy, PolicyVersion
from governance.operations import policies
from governance.rules.texts import read_text, write_text
from observability import ledger
from observability.ledger import database_now


class Command(BaseCommand):
    """Check files, keep them as drafts of a person, write the policies of the company to files."""

    help = "Check policies in files, keep them as drafts (never more than a draft in review), or export them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        check = acts.add_parser("check", help="say what is wrong, as FILE:LINE:COLUMN; exit code 1 when something is")
        check.add_argument("files", nargs="+", type=Path)
        check.add_argument("--json", action="store_true", help="one JSON object, for programs")
        apply = acts.add_parser("apply", help="keep each file that says something new as a draft")
        apply.add_argument("files", nargs="+", type=Path)
        apply.add_argument("--by", required=True, metavar="NAME", help="the person whose drafts they are")
        apply.add_argument("--unit", default="", metavar="CODE", help="the unit of new policies; the person's own")
        apply.add_argument("--ask-review", action="store_true", help="put the drafts before a second person")
        apply.add_argument("--note", default="", help="what the second person reads with it")
        export = acts.add_parser("export", help="write the version in force of each policy, or else the newest")
        export.add_argument("keys", nargs="*", help="only these policies")
        export.add_argument("--to", type=Path, metavar="FOLDER", help="a file for each; otherwise all are printed")

    def handle(self, *args: Any, **options: Any) -> None:
        {"check": self._check, "apply": self._apply, "export": self._export}[options["act"]](options)

    def _check(self, options: dict[str, Any]) -> None:
        found = [(path, problem) for path in options["files"] for problem in _wrong(path)]
        if options["json"]:
            problems = [_as_data(path, problem) for path, problem in found]
            self.stdout.write(json.dumps({"ok": not found, "files": len(options["files"]), "problems": problems}))
        else:
            for path, problem in found:
                self.stdout.write(_line(path, problem))
        if found:
            raise CommandError(f"{len(found)} problem{'s' * (len(found) > 1)}.")
        if not options["json"]:
            self.stdout.write(f"{len(options['files'])} checked, nothing is wrong.")

    def _apply(self, options: dict[str, Any]) -> None:
        wrong = [_line(path, problem) for path in options["files"] for problem in policies.problems_of(_text(path))]
        if wrong:
            raise CommandError("\n".join([*wrong, "Nothing was kept."]))
        person = Principal.objects.people().filter(username=options["by"], is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active person {options['by']}.")
        for path in options["files"]:
            try:
                self.stdout.write(f"{path}: {_kept(read_text(_text(path)), person, options)}")
            except ledger.Refused as refused:
                fields = " ".join(f"{name}: {words}" for name, words in refused.fields.items())
                raise CommandError(f"{path}: {refused.detail} {fields}".strip()) from refused

    def _export(self, options: dict[str, Any]) -> None:
        found = Policy.objects.with_standing()
        if options["keys"]:
            found = found.filter(key__in=options["keys"])
            missing = set(options["keys"]) - {policy.key for policy in found}
            if missing:
                raise CommandError(f"There is no policy {', '.join(sorted(missing))}.")
        for policy in found:
            version = policy.versions.filter(number=policy.in_force or policy.newest).first()
            if version is not None:
                self._write(version, options["to"])

    def _write(self, version: PolicyVersion, folder: Path | None) -> None:
        text = write_text(version.document)
        if folder is None:
            self.stdout.write(f"---\n{text}", ending="")
            return
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{version.policy.key}.yaml"
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"{path}: version {version.number}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise CommandError(f"{path} cannot be read: {wrong}") from wrong


def _wrong(path: Path) -> Iterator[Problem]:
    text = _text(path)
    problems = policies.problems_of(text)
    yield from problems
    if not problems:
        failed = [each for each in policies.tests_of(read_text(text)) if not each.passed]
        for each in failed:
            yield Problem(policies.failure_of(each), 1, 1, 1, None, "tests")


def _line(path: Path, problem: Problem) -> str:
    hint = f" {problem.suggestion}" if problem.suggestion else ""
    return f"{path}:{problem.line}:{problem.column}: {problem.message}{hint}"


def _as_data(path: Path, problem: Problem) -> dict[str, Any]:
    return {
        "file": str(path), "line": problem.line, "column": problem.column, "part": problem.path,
        "message": problem.message, "suggestion": problem.suggestion,
    }  # fmt: skip


def _kept(document: dict[str, Any], person: Principal, options: dict[str, Any]) -> str:
    """What became of one file; a document that the newest version says already, or the one in force, is not kept."""
    at = database_now()
    policy = Policy.objects.filter(key=document["key"]).select_related("unit", "owner").first()
    same = _same(policy, document) if policy else None
    if same is None:
        unit, owner = (policy.unit, policy.owner) if policy else (_unit(options["unit"], person), person)
        same, words = policies.add_policy(document, unit=unit, owner=owner, by=person, at=at), "kept as version {}"
    else:
        words = "version {} says this already"
    said = words.format(same.number)
    if options["ask_review"] and same.status == PolicyVersion.Status.DRAFT:
        policies.ask_review(same, by=person, at=at, why=options["note"])
        said += ", and waits for a second person"
    return said


def _same(policy: Policy, document: dict[str, Any]) -> PolicyVersion | None:
    newest = policy.versions.select_related("policy").first()
    if newest is not None and policies.same_content(newest.document, document):
        return newest
    return None


def _unit(code: str, person: Principal) -> Unit:
    unit = Unit.objects.filter(code=code).first() if code else person.unit
    if unit is None:
        raise CommandError("Name the unit of new policies with --unit.")
    return unit
