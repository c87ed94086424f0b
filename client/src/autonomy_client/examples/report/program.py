"""The program of the monthly report: pulls figures, reconciles them, writes the report, checks its form, sends it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from autonomy_client import Autonomy, Change, Evidence, Work
from autonomy_client.examples import desk
from autonomy_client.examples.desk import Case, Desk, GiveUp, Question, Result, Step, as_json, ask, safe, shortened
from autonomy_client.examples.report.figures import SOURCES, Archive, gaps
from autonomy_client.examples.report.form import SCHEMA, as_data, as_markdown, pages_of, wrong_with

READERS = ("council", "unit owners")
SURE = Decimal("0.97")


class Report(Desk):
    """The steps of the monthly report."""

    workflow = "monthly-report"

    def __init__(self, data: Path, out: Path) -> None:
        super().__init__(data, out)
        self.archive = Archive(data)

    def cases(self) -> Iterator[Case]:
        """Every month that is closed."""
        for month in self.archive.months():
            yield Case(f"report-{month}", {"month": month})

    def steps(self) -> Mapping[str, Step]:
        """What is done for each element."""
        return {
            "ledger": self.ledger, "sales": self.sales, "operations": self.operations, "reconcile": self.reconcile,
            "write": self.write, "check": self.check, "send": self.send,
        }  # fmt: skip

    def month(self, work: Work) -> str:
        """The month of this run."""
        month = str(work.variables["input"]["month"])
        if month not in self.archive.months():
            raise GiveUp(f"The files of {month} are not complete.")
        return month

    def ledger(self, client: Autonomy, work: Work) -> Result:
        """Revenue and costs as they are booked."""
        month = self.month(work)
        found = self.archive.ledger(month)
        output = {"revenue": found.revenue, "costs": found.costs, "file": self.archive.name("ledger", month)}
        return Result(output, f"Revenue {found.revenue}, costs {found.costs}.")

    def sales(self, client: Autonomy, work: Work) -> Result:
        """What was sold."""
        month = self.month(work)
        found = self.archive.sales(month)
        output = {
            "revenue": found.revenue, "orders": len(found.by_order), "file": self.archive.name("sales", month),
        }  # fmt: skip
        return Result(output, f"{len(found.by_order)} orders over {found.revenue}.")

    def operations(self, client: Autonomy, work: Work) -> Result:
        """What was delivered, and how much of it in time."""
        month = self.month(work)
        found = self.archive.operations(month)
        output = {
            "delivered": found.delivered, "on_time": found.share, "file": self.archive.name("operations", month),
        }  # fmt: skip
        return Result(output, f"{found.delivered} deliveries, {found.share:.1%} in time.")

    def reconcile(self, client: Autonomy, work: Work) -> Result:
        """Whether the sales and the ledger agree, and which orders make the difference."""
        month = self.month(work)
        found = gaps(self.archive.ledger(month), self.archive.sales(month))
        difference = sum((gap.sold - gap.booked for gap in found), Decimal("0.00"))
        note = shortened("; ".join(map(str, found)) or "sales and ledger agree")
        return Result({"difference": difference, "note": note}, note)

    def figures(self, work: Work) -> dict[str, Any]:
        """The figures of the report, from what the earlier steps found."""
        month, found = self.month(work), work.variables
        revenue, costs = Decimal(str(found["ledger"]["revenue"])), Decimal(str(found["ledger"]["costs"]))
        return {
            "schema": SCHEMA, "month": month, "revenue": f"{revenue:.2f}", "costs": f"{costs:.2f}",
            "result": f"{revenue - costs:.2f}", "difference": f"{Decimal(str(found['reconcile']['difference'])):.2f}",
            "orders": int(found["sales"]["orders"]), "delivered": int(found["operations"]["delivered"]),
            "on_time": f"{Decimal(str(found['operations']['on_time'])):.4f}", "note": found["reconcile"]["note"],
            "sources": [
                {"file": self.archive.name(each, month), "sha256": self.archive.sha256(each, month)} for each in SOURCES
            ],
        }  # fmt: skip

    def write(self, client: Autonomy, work: Work) -> Result:
        """The report in its form: a file for people, and one for programs."""
        figures = self.figures(work)
        markdown = as_markdown(figures)
        file = self.keep(f"reports/{safe(figures['month'])}.md", markdown)
        self.keep(f"reports/{safe(figures['month'])}.json", as_data(figures))
        sha256 = hashlib.sha256(markdown.encode()).hexdigest()
        return Result({"file": file, "sha256": sha256, "pages": pages_of(markdown)}, f"Written to {file}.")

    def check(self, client: Autonomy, work: Work) -> Result:
        """Whether the files have the form that they must have."""
        path = self.out / "reports" / f"{safe(self.month(work))}.md"
        data = path.with_suffix(".json")
        if not (path.exists() and data.exists()):
            wrong = ["The report is not where it should be."]
        else:
            wrong = wrong_with(path.read_text("utf-8"), data.read_text("utf-8"), work.variables["write"]["sha256"])
        said = shortened(" ".join(wrong))
        return Result({"valid": not wrong, "wrong": said}, said or "The form is right.")

    def send(self, client: Autonomy, work: Work) -> Result:
        """The report goes to its readers, where it may."""
        month, written = self.month(work), work.variables["write"]
        answer = ask(client, work, _question(month, work))
        if answer.allowed:
            self.keep(f"sent/{safe(month)}.json", as_json({"to": READERS, **written}))
        return Result({"sent": answer.allowed}, answer.reason)


def _question(month: str, work: Work) -> Question:
    written, found = work.variables["write"], work.variables["reconcile"]
    difference = f"{Decimal(str(found['difference'])):.2f}"
    return Question(
        "report.send", "report", f"report-{month}",
        {"month": month, "difference": difference, "form_is_right": bool(work.variables["check"]["valid"])},
        {"readers": len(READERS)}, title=f"Send the management report of {month}",
        statement=f"Its form is right. Difference between sales and ledger: {difference} EUR, {found['note']}.",
        confidence=SURE, changes=[Change(f"Report of {month}", "written", f"sent to {', '.join(READERS)}")],
        evidence=[Evidence("report", written["file"], "What is sent", written["sha256"])],
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the monthly report until it is stopped."""
    return desk.main(Report, "Writes the management reports of the months in a folder.", argv)


if __name__ == "__main__":
    sys.exit(main())
