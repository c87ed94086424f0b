"""The program of supply-chain watch: looks at stock and shipments, finds other carriers, rebooks, tells the plants."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from autonomy_client import Autonomy, Change, Evidence, Work
from autonomy_client.examples import desk
from autonomy_client.examples.desk import Answer, Case, Desk, Question, Result, Step, as_json, ask, safe, shortened
from autonomy_client.examples.supply.freight import Freight, Shipment
from autonomy_client.examples.supply.watching import Route, Shortage, late, routes, shortages

DAYS_AHEAD = 10
SURE = Decimal("0.95")


class Supply(Desk):
    """The steps of supply-chain watch."""

    workflow = "supply-chain-watch"

    def __init__(self, data: Path, out: Path) -> None:
        super().__init__(data, out)
        self.freight = Freight(data)

    def cases(self) -> Iterator[Case]:
        """Every region on the day of the lists."""
        today = self.freight.today()
        for region in self.freight.regions():
            yield Case(f"{region}-{today}", {"region": region, "days_ahead": DAYS_AHEAD})

    def steps(self) -> Mapping[str, Step]:
        """What is done for each element."""
        return {
            "inventory": self.inventory, "shipments": self.shipments, "propose": self.propose, "rebook": self.rebook,
            "tell": self.tell,
        }  # fmt: skip

    def short(self, work: Work) -> list[Shortage]:
        """What runs short in the region of this run."""
        region, ahead = work.variables["input"]["region"], int(work.variables["input"]["days_ahead"])
        return shortages(self.freight.stock(region), self.freight.shipments(region), self.freight.today(), ahead)

    def routes(self, work: Work) -> list[Route]:
        """The other routes that are worth their price."""
        region = work.variables["input"]["region"]
        return routes(self.freight.shipments(region), self.freight.offers(region), self.freight.today())

    def late(self, work: Work) -> list[Shipment]:
        """What is late in the region of this run."""
        return late(self.freight.shipments(work.variables["input"]["region"]))

    def inventory(self, client: Autonomy, work: Work) -> Result:
        """Which parts are used up before more of them comes."""
        short = self.short(work)
        worst = f"{short[0].stock.part} in {short[0].stock.plant}" if short else "none"
        output = {"shortages": len(short), "worst": worst, "days_left": short[0].days_left if short else DAYS_AHEAD}
        return Result(output, f"{len(short)} parts run short; the worst is {worst}.")

    def shipments(self, client: Autonomy, work: Work) -> Result:
        """Which shipments are late."""
        found = self.late(work)
        worst = f"{found[0].number} to {found[0].plant}" if found else "none"
        output = {"late": len(found), "worst": worst, "delay_days": found[0].delay_days if found else 0}
        return Result(output, f"{len(found)} shipments are late; the worst is {worst}.")

    def propose(self, client: Autonomy, work: Work) -> Result:
        """Other carriers, where one is worth its price."""
        found = self.routes(work)
        proposal = "; ".join(map(str, found)) or "no carrier is sooner and worth its price"
        costs = sum((route.cost for route in found), Decimal("0.00"))
        saved = sum(route.saved_days for route in found)
        return Result({"proposal": shortened(proposal), "costs": costs, "saved_days": saved}, proposal)

    def rebook(self, client: Autonomy, work: Work) -> Result:
        """Book each shipment that may be booked; one that was settled before is not asked about again."""
        booked, answered = [], True
        for route in self.routes(work):
            settled = self._settled(work, route)
            if settled is None:
                # The person's answer that came with the step is about the first that is not settled yet.
                answer = ask(client, work, _question(route), answered=answered)
                self._settle(work, route, answer)
                settled, answered = answer.allowed, False
            if settled:
                booked.append(route.shipment.number)
        reference = f"B-{work.run.key}" if booked else ""
        return Result({"booked": len(booked), "reference": reference}, f"Booked: {', '.join(booked) or 'nothing'}.")

    def tell(self, client: Autonomy, work: Work) -> Result:
        """A note for each plant that waits for something."""
        told: dict[str, list[str]] = {}
        for each in self.late(work):
            told.setdefault(each.plant, []).append(f"{each.number} with {each.part} is {each.delay_days} days late.")
        for short in self.short(work):
            line = f"{short.stock.part} is used up in {short.days_left} days."
            told.setdefault(short.stock.plant, []).append(line)
        for route in self.routes(work):
            if self._settled(work, route):
                line = f"{route.shipment.number} comes with {route.carrier} on {route.arrives}."
                told[route.shipment.plant].append(line)
        for plant, lines in told.items():
            self.keep(f"notices/{safe(work.run.key)}/{safe(plant)}.txt", "\n".join(lines) + "\n")
        return Result({"told": len(told)}, f"Told: {', '.join(sorted(told)) or 'nobody'}.")

    def _name(self, work: Work, route: Route) -> str:
        return f"bookings/{safe(work.run.key)}/{safe(route.shipment.number)}.json"

    def _settled(self, work: Work, route: Route) -> bool | None:
        path = self.out / self._name(work, route)
        return bool(json.loads(path.read_text("utf-8"))["booked"]) if path.exists() else None

    def _settle(self, work: Work, route: Route, answer: Answer) -> None:
        entry = {
            "shipment": route.shipment.number, "carrier": route.carrier, "cost": route.cost, "booked": answer.allowed,
            "reason": answer.reason,
        }  # fmt: skip
        self.keep(self._name(work, route), as_json(entry))


def _question(route: Route) -> Question:
    shipment = route.shipment
    return Question(
        "shipment.rebook", "shipment", shipment.number,
        {
            "delay": f"{shipment.delay_days * 24}h",
            "goods": {"value": f"{shipment.value:.2f}", "hazardous": shipment.hazardous},
        },
        {"extra_cost": f"{route.cost:.2f}", "currency": "EUR", "new_carrier": route.carrier},
        title=f"Put {shipment.number} on {route.carrier}",
        statement=f"{shipment.quantity} of {shipment.part} for {shipment.plant} are {shipment.delay_days} days late "
        f"with {shipment.carrier}. With {route.carrier} they arrive {route.saved_days} days sooner.",
        confidence=SURE, changes=[Change(f"Carrier of {shipment.number}", shipment.carrier, route.carrier)],
        evidence=[Evidence("shipment", shipment.number, f"Due {shipment.due}, expected {shipment.expected}")],
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run supply-chain watch until it is stopped."""
    return desk.main(Supply, "Watches stock and shipments, and rebooks what is late.", argv)


if __name__ == "__main__":
    sys.exit(main())
