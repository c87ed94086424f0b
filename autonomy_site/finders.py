"""Static files of the front-end packages: exactly those that the pages load, by short names in `vendor/`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage

PREFIX = "vendor"
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "plotly-cartesian.min.js": "plotly.js-cartesian-dist-min/plotly-cartesian.min.js",
    "bpmn-viewer.min.js": "bpmn-js/dist/bpmn-navigated-viewer.production.min.js",
    "bpmn-modeler.min.js": "bpmn-js/dist/bpmn-modeler.production.min.js",
    "bpmn-js.css": "bpmn-js/dist/assets/bpmn-js.css",
    "diagram-js.css": "bpmn-js/dist/assets/diagram-js.css",
}


def packages() -> Path:
    """Return the folder that npm fills."""
    return Path(settings.BASE) / "node_modules"


class VendorStorage(FileSystemStorage):
    """Read-only view of the packages in which every file has its short name."""

    prefix = PREFIX

    def path(self, name: str) -> str:
        return str(packages() / FILES[name])


class VendorFinder(BaseFinder):
    """Find `vendor/<short name>`; whatever is not listed in FILES is not served."""

    def __init__(self, app_names: object = None, *args: object, **kwargs: object) -> None:
        super().__init__()

    def check(self, **kwargs: object) -> list[CheckMessage]:
        missing = [short for short in FILES if not (packages() / FILES[short]).is_file()]
        if not missing:
            return []
        hint = "Run `make setup`, which fetches the front-end packages."
        return [Error(f"Front-end files are missing: {', '.join(missing)}.", hint=hint, id="autonomy_site.E001")]

    def find(self, path: str, find_all: bool = False, **kwargs: object) -> str | list[str]:  # type: ignore[override]
        source = FILES.get(path.removeprefix(f"{PREFIX}/")) if path.startswith(f"{PREFIX}/") else None
        file = packages() / source if source else None
        if file is None or not file.is_file():
            return []
        return [str(file)] if find_all else str(file)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, VendorStorage]]:
        storage = VendorStorage(location=str(packages()))
        for short, source in FILES.items():
            if (packages() / source).is_file() and not matches_patterns(short, list(ignore_patterns or [])):
                yield short, storage
