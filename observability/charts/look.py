"""Shape of observability: the one Plotly template, and the lines and notes that every figure draws the same way.

Colours are the page's tokens; the browser resolves them, so that a change of theme is only a redraw.
"""

from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

INK, CAPTION, LINE, SURFACE = "var(--os-ink)", "var(--os-ink-3)", "var(--os-line)", "var(--os-surface)"
SERIES = ("var(--os-c1)", "var(--os-c2)", "var(--os-c3)", "var(--os-c4)")
BASE, BAND, BAD = "var(--os-base)", "var(--os-band)", "var(--os-bad)"
SOFT = "var(--os-accent-soft)"
CLEAR = "rgba(0,0,0,0)"
AXIS = {
    "gridcolor": LINE,
    "zerolinecolor": LINE,
    "linecolor": LINE,
    "tickfont": {"size": 11, "color": CAPTION},
    "ticks": "",
    "fixedrange": True,
    "automargin": True,
}

pio.templates["aos"] = go.layout.Template(
    layout={
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "colorway": SERIES,
        "showlegend": False,
        "font": {"family": "Inter Variable, system-ui, sans-serif", "size": 12, "color": "var(--os-ink-2)"},
        "margin": {"l": 44, "r": 16, "t": 8, "b": 30},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": SURFACE, "bordercolor": LINE, "font": {"color": INK, "size": 12}},
        "xaxis": {**AXIS, "showgrid": False, "ticklabelstandoff": 5},
        "yaxis": {**AXIS, "rangemode": "tozero"},
    }
)


def figure(traces: list[Any], **layout: Any) -> go.Figure:
    """A figure in the one template."""
    return go.Figure(data=traces, layout=go.Layout(template="aos", **layout))


def level(y: float, *, dash: str, colour: str) -> dict[str, Any]:
    """A line across the whole figure at the height `y`."""
    line = {"color": colour, "width": 1.5 if dash == "dash" else 1, "dash": dash}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}


def note(text: str, *, x: float | str, y: float, **more: Any) -> dict[str, Any]:
    """A small text beside a line; `x` runs from 0 to 1 over the figure's width."""
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "showarrow": False,
        "font": {"size": 11, "color": CAPTION},
        "xanchor": "left",
        "yanchor": "bottom",
        "bgcolor": SURFACE,
        **more,
    }


def moment(text: str, x: str) -> dict[str, dict[str, Any]]:
    """An upright hair line at a moment, with its name beside its upper end."""
    hair = {"type": "line", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": {"color": LINE, "width": 1}}
    return {"shape": hair, "annotation": note(text, x=x, y=1, xref="x", yref="paper", yanchor="top", xshift=3)}


def yardstick(text: str, y: float | None, *, top: float, dash: str, right: bool) -> dict[str, list[dict[str, Any]]]:
    """The line of a baseline or target with its name; one that lies far above the figure is only named, at its top."""
    if y is None:
        return {"shapes": [], "annotations": []}
    place: dict[str, Any] = {"x": 1.0 if right else 0.005, "xanchor": "right" if right else "left"}
    if y > top:
        return {"shapes": [], "annotations": [note(f"{text} ↑", **place, y=1, yref="paper", yanchor="top")]}
    colour = BASE if dash == "dash" else CAPTION
    return {"shapes": [level(y, dash=dash, colour=colour)], "annotations": [note(text, **place, y=y)]}
