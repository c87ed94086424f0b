"""The trade world of the demo: who sells what to the Halden Group. All names and accounts are made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Good:
    """One thing on offer; `price` is net in euro for one `unit` (UN/ECE Rec 20)."""

    item_id: str
    name: str
    unit: str
    price: Decimal
    is_reduced: bool = False
    is_service: bool = False


@dataclass(frozen=True)
class Company:
    """A legal entity with its address."""

    name: str
    vat: str
    registration: str
    street: str
    city: str
    postcode: str
    country: str


@dataclass(frozen=True)
class Supplier:
    """A company that sells; its account is known to the buyer since `account_since`."""

    id: str
    company: Company
    account: str
    account_since: date
    terms_days: int
    number_format: str
    goods: tuple[Good, ...]


# VAT in per cent: (standard, reduced).
VAT_RATES = {
    "NL": (Decimal(21), Decimal(9)),
    "DE": (Decimal(19), Decimal(7)),
    "FR": (Decimal(20), Decimal("5.5")),
    "BE": (Decimal(21), Decimal(6)),
}


def iban(country: str, account: str) -> str:
    """The IBAN of a national account number, with its check digits (ISO 7064 mod 97-10)."""
    digits = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def _goods(*rows: str) -> tuple[Good, ...]:
    return tuple(_good(*row.split("|")) for row in rows)


def _good(item_id: str, name: str, unit: str, price: str, marks: str = "") -> Good:
    return Good(item_id, name, unit, Decimal(price), "reduced" in marks, "service" in marks)


BUYERS = (
    Company("Halden Group N.V.", "NL812345670B01", "24398127", "Maaskade 118", "Rotterdam", "3071 NC", "NL"),
    Company("Halden Deutschland GmbH", "DE298471365", "HRB 148223", "Am Sandtorkai 41", "Hamburg", "20457", "DE"),
    Company("Halden France SAS", "FR61842917350", "842917350", "27 rue de la République", "Lyon", "69002", "FR"),
    Company("Halden België NV", "BE0674218935", "0674218935", "Kattendijkdok 9", "Antwerpen", "2000", "BE"),
)

SUPPLIERS = (
    Supplier(
        "V-1001",
        Company(
            "Nordlicht Bürobedarf GmbH",
            "DE811450276",
            "HRB 77410",
            "Lübecker Straße 14",
            "Hamburg",
            "22087",
            "DE",
        ),
        iban("DE", "200505500012847390"),
        date(2019, 3, 1),
        30,
        "RE-{year}-{serial:05d}",
        _goods(
            "NB-1002|Copy paper A4 80 g, box of 5 reams|CT|24.90",
            "NB-2210|Ring binder 80 mm, grey|C62|2.85",
            "NB-3345|Toner cartridge black, 10,000 pages|C62|118.40",
            "NB-4101|Desk lamp LED, adjustable|C62|64.50",
        ),
    ),
    Supplier(
        "V-1002",
        Company(
            "Van der Meer Logistiek B.V.",
            "NL853014226B01",
            "58210394",
            "Waalhaven Z.z. 44",
            "Rotterdam",
            "3089 JH",
            "NL",
        ),
        iban("NL", "INGB0007431985"),
        date(2018, 9, 12),
        14,
        "{year}{serial:04d}",
        _goods(
            "TR-01|Road transport, full truck, Rotterdam-Hamburg|C62|684.00|service",
            "TR-02|Pallet place, groupage|C62|58.75|service",
            "WH-10|Pallet storage per week|C62|6.20|service",
        ),
    ),
    Supplier(
        "V-1003",
        Company(
            "Ateliers Roussel SARL",
            "FR38512904471",
            "512904471",
            "8 chemin des Tanneurs",
            "Grenoble",
            "38000",
            "FR",
        ),
        iban("FR", "30004008760001234589431"),
        date(2020, 1, 20),
        45,
        "FA{year}-{serial:04d}",
        _goods(
            "AR-711|Steel bracket, galvanised, 120 mm|C62|3.42",
            "AR-715|Mounting rail 2 m|C62|17.80",
            "AR-802|Control cabinet IP65, 600 x 800 mm|C62|412.00",
        ),
    ),
    Supplier(
        "V-1004",
        Company(
            "Brouwers Catering BVBA",
            "BE0458712390",
            "0458712390",
            "Lange Leemstraat 201",
            "Antwerpen",
            "2018",
            "BE",
        ),
        iban("BE", "539007547034"),
        date(2021, 5, 4),
        14,
        "{serial:06d}",
        _goods(
            "CA-1|Lunch buffet per person|C62|16.50|reduced",
            "CA-2|Coffee and tea, per litre|LTR|7.20|reduced",
            "CA-9|Catering staff, per hour|HUR|38.00|service",
        ),
    ),
    Supplier(
        "V-1005",
        Company("Kupferwerk Donau GmbH", "ATU64829173", "FN 318842 k", "Hafenstraße 61", "Linz", "4020", "AT"),
        iban("AT", "2032000004719836"),
        date(2017, 11, 2),
        30,
        "KD{year}{serial:05d}",
        _goods(
            "KD-16|Copper cable 5 x 16 mm², per metre|MTR|14.65",
            "KD-25|Copper cable 5 x 25 mm², per metre|MTR|22.30",
            "KD-90|Cable gland M32|C62|1.95",
        ),
    ),
    Supplier(
        "V-1006",
        Company("Fennell Software Ltd", "IE3268471KH", "548120", "12 Harcourt Terrace", "Dublin", "D02 XN59", "IE"),
        iban("IE", "AIBK93115212345678"),
        date(2022, 2, 15),
        30,
        "INV-{serial:05d}",
        _goods(
            "FS-SEAT|Licence per seat and month|C62|29.00|service",
            "FS-SUP|Support hour|HUR|124.00|service",
            "FS-TRN|Training day on site|DAY|980.00|service",
        ),
    ),
    Supplier(
        "V-1007",
        Company(
            "De Wit Schoonmaak B.V.",
            "NL820476315B01",
            "30217744",
            "Croeselaan 88",
            "Utrecht",
            "3521 CB",
            "NL",
        ),
        iban("NL", "RABO0318847205"),
        date(2019, 7, 8),
        21,
        "DW{year}-{serial:04d}",
        _goods(
            "SW-H|Office cleaning, per hour|HUR|31.40|service",
            "SW-G|Window cleaning, per facade|C62|145.00|service",
            "SW-M|Cleaning supplies, monthly set|SET|86.90",
        ),
    ),
    Supplier(
        "V-1008",
        Company(
            "Imprimerie Delcourt SA",
            "FR72398145602",
            "398145602",
            "54 boulevard Vauban",
            "Lille",
            "59800",
            "FR",
        ),
        iban("FR", "20041010050500013M02606"),
        date(2016, 4, 18),
        30,
        "{year}/{serial:05d}",
        _goods(
            "ID-A5|Brochure A5, 16 pages, colour|C62|0.84|reduced",
            "ID-RU|Roll-up display 85 x 200 cm|C62|79.00",
            "ID-BC|Business cards, box of 250|BX|32.50",
        ),
    ),
    Supplier(
        "V-1009",
        Company(
            "Rheintal Werkzeuge AG & Co. KG",
            "DE142087659",
            "HRA 5519",
            "Industriestraße 7",
            "Köln",
            "50735",
            "DE",
        ),
        iban("DE", "370400440532817700"),
        date(2015, 6, 30),
        30,
        "R{year}{serial:06d}",
        _goods(
            "RW-118|Torque wrench 20-100 Nm|C62|164.00",
            "RW-240|Bit set, 61 pieces|SET|39.95",
            "RW-377|Cordless drill 18 V|C62|229.00",
            "RW-512|Safety gloves, cut level D, pair|PR|8.40",
        ),
    ),
    Supplier(
        "V-1010",
        Company(
            "Luxnet Telecom S.à r.l.",
            "LU27194835",
            "B198472",
            "3 rue de Bitbourg",
            "Luxembourg",
            "1273",
            "LU",
        ),
        iban("LU", "0019400644750000"),
        date(2020, 10, 1),
        20,
        "LX{serial:07d}",
        _goods(
            "LX-1G|Leased line 1 Gbit/s, per month|MON|540.00|service",
            "LX-SIM|Mobile flat rate, per SIM and month|C62|18.90|service",
        ),
    ),
    Supplier(
        "V-1011",
        Company("Stahlbau Hansen GmbH", "DE265910348", "HRB 20931", "Am Ochsenweg 3", "Flensburg", "24941", "DE"),
        iban("DE", "217500000164839502"),
        date(2021, 8, 23),
        30,
        "SH-{serial:05d}",
        _goods(
            "SH-HEA|Steel beam HEA 160, per metre|MTR|58.20",
            "SH-TRP|Stair tread, galvanised|C62|74.60",
            "SH-MON|Assembly, per hour|HUR|68.00|service",
        ),
    ),
    Supplier(
        "V-1012",
        Company(
            "Groene Hart Plantenservice B.V.",
            "NL861532074B01",
            "71094458",
            "Goudse Poort 5",
            "Gouda",
            "2803 PC",
            "NL",
        ),
        iban("NL", "ABNA0598214471"),
        date(2022, 11, 14),
        14,
        "GH{year}{serial:03d}",
        _goods(
            "GH-P|Office plant with pot, large|C62|69.50|reduced",
            "GH-S|Plant care, per visit|C62|94.00|service",
        ),
    ),
)
