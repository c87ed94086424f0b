"""The design system keeps its promises: contrast, one place for colours, page weight, words and shapes."""

import gzip
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template.loader import render_to_string
from django.utils import timezone
from lucide.templatetags.lucide import lucide

from autonomy_site.finders import FILES, VendorFinder
from autonomy_site.templatetags import aos

BASE = Path(__file__).parents[2]
STATIC = BASE / "autonomy_site" / "static" / "aos"
SHEETS = sorted((STATIC / "css").glob("*.css"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
TEMPLATES = sorted((BASE / "templates").rglob("*.html"))
TOKEN = re.compile(r"--os-([\w-]+): light-dark\(#([0-9A-Fa-f]{6}), #([0-9A-Fa-f]{6})\)")
TOKENS = {name: (light, dark) for name, light, dark in TOKEN.findall((STATIC / "css" / "aos.css").read_text())}
LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(|:\s*(?:white|black|red|green|blue|grey|gray)\b")

TEXT = [(ink, ground) for ink in ("ink", "ink-2", "ink-3", "accent") for ground in ("surface", "bg", "sunken")]
TEXT += [(tone, ground) for tone in ("ok", "warn", "bad") for ground in ("surface", "bg", f"{tone}-soft")]
TEXT += [("ink-2", soft) for soft in ("idle-soft", "accent-soft", "warn-soft", "bad-soft", "ok-soft")]
TEXT += [("ink", soft) for soft in ("accent-soft", "warn-soft", "bad-soft", "ok-soft")]
TEXT += [("accent", "accent-soft"), ("ink-3", "accent-soft"), ("warn", "accent-soft"), ("bad", "accent-soft")]
TEXT += [("on-accent", "accent"), ("on-bad", "bad"), ("surface", "ink")]
SHAPES = [(shape, "surface") for shape in ("field", "accent", "c1", "c2", "c3", "c4", "base")] + [("field", "bg")]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(front, ground):
    high, low = sorted((luminance(front), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def compressed(*files):
    return sum(len(gzip.compress(Path(file).read_bytes(), 9)) for file in files)


def vendor(short):
    return BASE / "node_modules" / FILES[short]


# --- colours ---
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), TEXT)
def test_text_can_be_read_on_its_ground(front, ground, theme):
    assert contrast(TOKENS[front][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), SHAPES)
def test_outlines_and_chart_marks_stand_out(front, ground, theme):
    assert contrast(TOKENS[front][theme], TOKENS[ground][theme]) >= 3.0


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda file: file.name)
def test_only_tokens_name_colours(sheet):
    rules = re.sub(r":root \{.*?\n\}", "", sheet.read_text(), count=1, flags=re.DOTALL)

    assert LITERAL.findall(rules) == []


def test_every_token_that_a_sheet_uses_exists():
    text = "".join(sheet.read_text() for sheet in SHEETS)

    assert set(re.findall(r"var\(--(os-[\w-]+)", text)) <= set(re.findall(r"--(os-[\w-]+):", text))


# --- templates and scripts ---
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: str(file.relative_to(BASE / "templates")))
def test_a_template_holds_no_script_and_no_fixed_style(template):
    text = template.read_text()

    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []
    assert re.findall(r"<style|\son(?!ly=)\w+=", text) == []
    assert [style for style in re.findall(r'style="([^"]*)"', text) if "{{" not in style] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: str(file.relative_to(BASE / "templates")))
def test_every_icon_of_a_template_exists(template):
    for name in re.findall(r'{%\s*icon "([\w-]+)"', template.read_text()):
        assert lucide(name)


def test_every_icon_of_the_vocabulary_exists():
    for word in aos.VOCABULARY.values():
        assert "<svg" in aos.icon(word.icon)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_builds_no_code_and_imports_only_its_neighbours(script):
    text = script.read_text()
    for namespace in ("http://www.w3.org/2000/svg", "https://autonomy-os.org/bpmn/1"):
        text = text.replace(namespace, "")

    assert re.findall(r"\beval\(|new Function|document\.write|https?://", text) == []
    for name in re.findall(r'(?:from|import|import\() ?"([^"]+)"', text):
        assert (STATIC / "js" / name).is_file()


# --- files ---
def test_the_finder_serves_exactly_the_listed_files():
    finder = VendorFinder()

    assert sorted(name for name, _ in finder.list([])) == sorted(FILES)
    assert all(finders.find(f"vendor/{name}") == str(vendor(name)) for name in FILES)
    assert finder.check() == []


@pytest.mark.parametrize(
    "path", ["vendor/htmx.js", "vendor/../package.json", "htmx.min.js", "vendor/", "vendor//htmx.min.js"]
)
def test_the_finder_serves_nothing_else(path):
    assert not VendorFinder().find(path)


def test_files_keep_their_references_when_their_names_carry_hashes(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.INSTALLED_APPS = ["autonomy_site", "django.contrib.staticfiles"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }

    call_command("collectstatic", interactive=False, verbosity=0)

    sheet = next((tmp_path / "aos" / "css").glob("aos.????????????.css")).read_text()
    assert re.search(r"vendor/inter-latin\.[0-9a-f]{12}\.woff2", sheet)


def test_a_first_visit_stays_under_its_weight():
    drawing = {"cards.js", "diagram.js"}
    designing = {script.name for script in SCRIPTS if script.name.startswith("designer")}
    page = [STATIC / "css" / "aos.css", STATIC / "css" / "parts.css", vendor("htmx.min.js")]
    page += [script for script in SCRIPTS if script.name not in {"charts.js", *drawing, *designing}]
    weight = compressed(*page) + vendor("inter-latin.woff2").stat().st_size
    sheets = [vendor("diagram-js.css"), vendor("bpmn-js.css"), STATIC / "css" / "diagram.css"]
    viewer = [vendor("bpmn-viewer.min.js"), *sheets, *(STATIC / "js" / name for name in drawing)]
    designer = [vendor("bpmn-modeler.min.js"), *sheets, STATIC / "css" / "designer.css", STATIC / "css" / "outline.css"]
    designer += [STATIC / "js" / name for name in {"cards.js", *designing}]

    assert weight <= 100_000
    assert weight + compressed(vendor("plotly-cartesian.min.js"), STATIC / "js" / "charts.js") <= 600_000
    assert weight + compressed(*viewer) <= 330_000
    assert weight + compressed(*designer) <= 330_000


# --- words and shapes ---
@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (Decimal("48200"), "EUR", "€48,200.00"),
        ("-5", "USD", "−$5.00"),
        (Decimal("1200.5"), "CHF", "CHF\N{NO-BREAK SPACE}1,200.50"),
        (1200, "JPY", "JPY\N{NO-BREAK SPACE}1,200"),
        (None, "EUR", ""),
    ],
)
def test_money_is_shown_with_currency_and_cents(amount, currency, text):
    assert aos.money(amount, currency) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.1, "0.1 s"),
        (24, "24 s"),
        (126, "2 m 06 s"),
        (8040, "2 h 14 m"),
        (100_800, "1 d 4 h"),
        (59.7, "1 m 00 s"),
        (14_400, "4 h"),
        (172_800, "2 d"),
        (None, ""),
    ],
)
def test_a_length_is_shown_in_two_units(seconds, text):
    assert aos.duration(seconds) == text


def test_times_are_relative_with_the_exact_time_on_hover():
    now = timezone.now()

    assert ">9 min ago<" in aos.ago(now - timedelta(minutes=9, seconds=5))
    assert ">1 h 46 m left<" in aos.time_left(now + timedelta(hours=1, minutes=46, seconds=5))
    assert ">38 min late<" in aos.time_left(now - timedelta(minutes=38, seconds=5))
    assert [aos.urgency(now + timedelta(minutes=m)) for m in (30, 90, 200)] == ["bad", "warn", "t3"]


def test_hashes_names_and_risks_are_short():
    assert aos.short_hash("9f3c" + "0" * 56 + "a71e") == "9f3c…a71e"
    assert [aos.initials(name) for name in ("Priya Nair", "Maria von Lindqvist", "rita", "")] == [
        "PN",
        "ML",
        "R",
        "?",
    ]
    assert aos.risk(3) == aos.risk("high")
    assert 'aria-label="High risk"' in aos.risk("high")


def test_people_are_round_and_agents_are_square():
    assert 'class="os-person ' in aos.actor("person", "Rita Ruiz")
    assert 'class="os-agent ' in aos.actor("agent", "AP-04")


def test_a_status_is_an_icon_and_a_word():
    assert aos.status_tag("waiting").endswith("Waits for a person</span>")
    assert "<svg" in aos.status_tag("waiting")


def test_a_split_bar_says_what_it_shows():
    bar = aos.split_bar(88, 11, 1)

    assert 'aria-label="88 percent touchless, 11 percent needed a person, 1 percent failed"' in bar
    assert "No runs yet" in aos.split_bar(0, 0, 0)


def test_a_sparkline_stays_inside_its_box():
    drawn = aos.spark([3, 1, 2], target=9)
    places = [float(y) for y in re.findall(r',([\d.]+)[ "]', re.search(r'spark-l" points="([^"]+")', drawn).group(1))]

    assert "spark-t" in drawn
    assert all(0 <= y <= 32 for y in places)
    assert aos.spark([1]) == ""


def test_changes_are_told_in_words_as_well_as_colours():
    changes = [
        {"field": "amount", "before": "10", "after": "<b>9</b>"},
        {"field": "account", "before": "x", "after": "x"},
    ]

    drawn = render_to_string("components/_diff.html", {"changes": changes})

    assert "removed </span>amount" in drawn
    assert "added </span>amount" in drawn
    assert "&lt;b&gt;9&lt;/b&gt;" in drawn
    assert drawn.count("account") == 1
