"""Vendors that apply, with their papers, and a sanctions list of invented names; each for a case known before."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from autonomy_site.demo.documents.trade import iban

APPLIED = date(2026, 11, 12)
TAKEN_ON, NOT_TAKEN_ON, NOT_COMPLETE = "Vendor taken on", "Not taken on", "Not complete"
LISTED = (
    ("Severnaya Metallurgiya Kombinat", "XA", "2022-05-03"), ("Al-Rashidi Trading Establishment", "XB", "2019-11-20"),
    ("Orion Dual Use Components LLC", "XC", "2023-02-14"), ("Kestrel Maritime Holdings Ltd", "XD", "2021-08-09"),
    ("Zhelezny Most Logistika OOO", "XA", "2024-03-01"), ("Pampero Minerales S.A.", "XE", "2020-06-17"),
    ("Blue Caravan Exchange", "XB", "2018-01-30"), ("Norvik Shipbrokers A/S", "XD", "2025-04-22"),
)  # fmt: skip
# The national part of an account that has the length of its country.
ACCOUNTS = {
    "DE": "500105175407324931", "DK": "00400440116243", "FR": "20041010050500013M02606",
    "IT": "X0542811101000000123456", "NL": "ABNA0417164300", "AT": "1904300234573201", "ES": "21000418450200051332",
    "PL": "109010140000071219812874", "SE": "50000000058398257466", "CH": "00762011623852957",
    "EE": "2200221020145685", "FI": "12345600000785", "BE": "539007547034", "TR": "0006100519786457841326",
    "GB": "NWBK60161331926819", "CZ": "08000000192000145399", "IR": "0540102680020817909002",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A kind of vendor: what is the matter with it, and what has to come of it."""

    vendor: str
    country: str
    trade: str = "machine parts"
    founded: str = "2004-03-01"
    lacks: str = ""
    account_in: str = ""
    wrong_digits: bool = False
    holder: str = ""
    hits: int = 0
    matches: bool = True
    risk: str = "low"
    asks: int = 0
    ends: str = TAKEN_ON


CASES = (
    Case("Nordhavn Ventiler A/S", "DK"), Case("Kessler Antriebstechnik GmbH", "DE"),
    Case("Ateliers Vauclair SARL", "FR", "tools"), Case("Officine Bertoldi S.r.l.", "IT"),
    Case("Van der Meulen Verpakking B.V.", "NL", "packaging"), Case("Alpenguss GmbH", "AT", "castings"),
    Case("Talleres Arrizabalaga S.L.", "ES", "tools"), Case("Łódzkie Zakłady Odlewnicze Sp. z o.o.", "PL", "castings"),
    Case("Smålands Fästelement AB", "SE", "fasteners"), Case("Präzisionsdreherei Aarau AG", "CH"),
    Case("Lahti Bearings Oy", "FI"), Case("Moravské Strojírny s.r.o.", "CZ"),
    # A name that is a little like a listed one, and another company.
    Case("Norwik Schiffsmakler-Software GmbH", "DE", "software"),
    # Young, and outside the single market, but nothing to worry about.
    Case("Anadolu Kalip Sanayi", "TR", "castings", "2015-05-20", risk="medium"),
    # The papers are not all there, and do not come in.
    Case("Baltic Fasteners OÜ", "EE", lacks="bank_letter", asks=1, ends=NOT_COMPLETE),
    Case("Atelier Dufour SARL", "FR", lacks="tax_form", asks=1, ends=NOT_COMPLETE),
    Case("Gebrüder Hallstein KG", "DE", lacks="register", asks=1, ends=NOT_COMPLETE),
    # Listed: as it is written there, in another spelling, and with the words in another order.
    Case("Kestrel Maritime Holdings Ltd", "GB", "freight", hits=1, risk="medium", asks=1, ends=NOT_TAKEN_ON),
    Case("Sewernaja Metallurgija Kombinat", "DE", "metals", hits=1, asks=1, ends=NOT_TAKEN_ON),
    Case("Caravan Exchange Blue Ltd.", "GB", "cash handling", hits=1, risk="high", asks=1, ends=NOT_TAKEN_ON),
    # The account cannot be the vendor's.
    Case("Fonderie Lacombe S.A.", "BE", "castings", wrong_digits=True, matches=False, asks=1, ends=NOT_TAKEN_ON),
    Case("Iberica de Resortes S.L.", "ES", "springs", account_in="CH", matches=False, asks=1, ends=NOT_TAKEN_ON),
    Case("Stahlbau Wittmann GmbH", "DE", "metals", holder="Peter Schuster", matches=False, asks=1, ends=NOT_TAKEN_ON),
    # Risky: people take it on, and the risk officer looks once more before money can go there.
    Case("Bosporus Kimya Ticaret", "TR", "chemicals", "2025-06-01", risk="high", asks=2),
    # People would take it on, and the rules do not.
    Case("Tabriz Precision Works", "IR", founded="2001-01-01", risk="high", asks=1, ends=NOT_TAKEN_ON),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What has to come of one application."""

    application: str
    hits: int
    matches: bool
    risk: str
    asks: int
    ends: str


def generate(folder: Path, cases: Sequence[Case] = CASES) -> list[Told]:
    """Write applications, the sanctions list and what has to come of them; the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_application(number, case) for number, case in enumerate(cases)]
    answers = [
        Told(row["application"], case.hits, case.matches, case.risk, case.asks, case.ends)
        for row, case in zip(rows, cases, strict=True)
    ]
    (folder / "applications.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    with (folder / "sanctions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("name", "country", "since"), *LISTED])
    (folder / "answers.json").write_text(json.dumps([asdict(each) for each in answers], indent=1) + "\n", "utf-8")
    return answers


def _application(number: int, case: Case) -> dict[str, Any]:
    registration = f"{case.country}-{74_210 + number * 31}"
    papers: dict[str, dict[str, str]] = {
        "tax_form": {"tax_number": f"{case.country}{810_400_200 + number * 977}"},
        "bank_letter": {"iban": _account(case, number), "holder": case.holder or case.vendor},
        "register": {"number": registration, "name": case.vendor},
    }
    papers.pop(case.lacks, None)
    return {
        "application": f"A-{3001 + number}", "vendor": case.vendor, "country": case.country,
        "registration": registration, "trade": case.trade, "founded": case.founded, "applied": APPLIED.isoformat(),
        "papers": papers,
    }  # fmt: skip


def _account(case: Case, number: int) -> str:
    country = case.account_in or case.country
    national = f"{ACCOUNTS[country][:-2]}{number + 10}"  # an account of its own for each
    account = iban(country, national)
    if not case.wrong_digits:
        return account
    return f"{account[:-1]}{(int(account[-1]) + 1) % 10}"
