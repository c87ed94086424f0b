"""The program of vendor onboarding: gathers papers, screens, checks the account, rates, and keeps the vendor file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from autonomy_client import Autonomy, Change, Evidence, Work
from autonomy_client.examples import desk
from autonomy_client.examples.desk import Case, Desk, GiveUp, Question, Result, Step, as_json, ask, safe, shortened
from autonomy_client.examples.vendors.checks import check_account, rate
from autonomy_client.examples.vendors.papers import Application, Cabinet
from autonomy_client.examples.vendors.screening import hits

SURE = Decimal("0.95")
# Where it is kept which name was compared with which list.
SPACE = "vendor-screenings"


class Vendors(Desk):
    """The steps of vendor onboarding."""

    workflow = "vendor-onboarding"

    def __init__(self, data: Path, out: Path) -> None:
        super().__init__(data, out)
        self.cabinet = Cabinet(data)

    def cases(self) -> Iterator[Case]:
        """Every application."""
        for each in self.cabinet.applications():
            about = {"vendor": each.vendor, "country": each.country, "registration": each.registration}
            yield Case(each.number, about)

    def steps(self) -> Mapping[str, Step]:
        """What is done for each element."""
        return {
            "gather": self.gather, "screen": self.screen, "bank": self.bank, "rate": self.rate, "create": self.create,
            "activate": self.activate,
        }  # fmt: skip

    def application(self, work: Work) -> Application:
        """The application of this run, as it is now: papers may have come in."""
        registration = str(work.variables["input"]["registration"])
        application = self.cabinet.application(registration)
        if application is None:
            raise GiveUp(f"No application has the registration number {registration}.")
        return application

    def gather(self, client: Autonomy, work: Work) -> Result:
        """Which papers are there, and what they say."""
        application = self.application(work)
        missing = ", ".join(application.missing).replace("_", " ")
        output = {
            "complete": not missing, "missing": missing, "iban": application.iban,
            "tax_number": application.papers.get("tax_form", {}).get("tax_number", ""),
        }  # fmt: skip
        return Result(output, f"Missing: {missing}." if missing else "All papers are there.")

    def screen(self, client: Autonomy, work: Work) -> Result:
        """Whether the name is on the sanctions list, also when it is written in another way."""
        application = self.application(work)
        key = f"{application.registration}/{self.cabinet.list_sha256()[:16]}"
        known = client.recall(SPACE, key, run=work.run.id)
        if known is not None:
            return Result(known.value, f"Compared before: {known.value['note']}")
        began = time.perf_counter()
        found = hits(application.vendor, self.cabinet.listed())
        said = [f"{hit.listed.name} ({hit.listed.country}), {hit.likeness:.0%} alike" for hit in found]
        output = {"hits": len(found), "note": shortened("; ".join(said) or "No name on the list is like it.")}
        seconds = f"{time.perf_counter() - began:.3f}"
        proof = Evidence("fact", "sanctions.csv", "The list that it was compared with", self.cabinet.list_sha256())
        client.remember(SPACE, key, output, evidence=[proof], run=work.run.id, seconds=seconds)
        return Result(output, str(output["note"]))

    def bank(self, client: Autonomy, work: Work) -> Result:
        """Whether the account can be the vendor's."""
        account = check_account(self.application(work))
        return Result({"matches": account.matches, "note": account.note}, account.note)

    def rate(self, client: Autonomy, work: Work) -> Result:
        """How risky the vendor is."""
        rating = rate(self.application(work))
        reason = ", ".join(rating.reasons)
        return Result({"score": rating.score, "reason": reason}, f"Risk {rating.score}: {reason}.")

    def create(self, client: Autonomy, work: Work) -> Result:
        """Put the vendor on file, where the rules allow it; nothing can be paid yet."""
        application = self.application(work)
        number = number_of(application)
        answer = ask(client, work, _question("vendor.create", "Put {} on file", number, application, work))
        if not answer.allowed:
            return Result({"created": False, "number": ""}, answer.reason)
        self._keep(number, application, "on file")
        return Result({"created": True, "number": number}, f"{number}: {answer.reason}")

    def activate(self, client: Autonomy, work: Work) -> Result:
        """Let the vendor be ordered from and paid, where the rules or a person allow it."""
        if not work.variables["create"]["created"]:
            return Result({"active": False, "reason": "It is not on file."}, "It is not on file.")
        application = self.application(work)
        number = number_of(application)
        answer = ask(client, work, _question("vendor.activate", "Activate {}", number, application, work))
        self._keep(number, application, "active" if answer.allowed else "blocked")
        return Result({"active": answer.allowed, "reason": answer.reason}, answer.reason)

    def _keep(self, number: str, application: Application, status: str) -> None:
        entry = {
            "number": number, "vendor": application.vendor, "country": application.country,
            "registration": application.registration, "iban": application.iban, "status": status,
        }  # fmt: skip
        self.keep(f"file/{safe(number)}.json", as_json(entry))


def number_of(application: Application) -> str:
    """The vendor's number: that of its application, however often the step is done."""
    return f"V-{application.number.removeprefix('A-')}"


def _question(action: str, title: str, number: str, application: Application, work: Work) -> Question:
    screened, rating = work.variables["screen"], rate(application)
    vendor: dict[str, Any] = {
        "name": application.vendor, "country": application.country, "risk": rating.word,
        "sanctions_hit": screened["hits"] > 0, "papers": sorted(application.papers), "iban": application.iban,
    }  # fmt: skip
    account = work.variables["bank"]
    risk = f"Risk {rating.score}: {', '.join(rating.reasons)}."
    statement = f"Lists: {screened['note']} Account: {account['note']} {risk}"
    proofs = [Evidence("paper", paper, f"Sent with application {application.number}") for paper in vendor["papers"]]
    return Question(
        action, "vendor", number, {"vendor": vendor}, {}, title.format(application.vendor), statement, SURE,
        changes=[Change(f"Vendor {number}", "", "on file" if action == "vendor.create" else "active")], evidence=proofs,
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run vendor onboarding until it is stopped."""
    return desk.main(Vendors, "Checks the vendors of a folder and puts them on file.", argv)


if __name__ == "__main__":
    sys.exit(main())
