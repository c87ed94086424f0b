// Draws the figures that the server describes: <figure data-chart data-src="...json" data-lib="...plotly.js">.
// Colours in a figure are tokens, "var(--os-c1)", resolved here, so that a change of theme is only a redraw.
// customdata of a point is the address of the rows behind it; layout.meta holds the table twin and the words around it.
// A figure with data-live is drawn again when its events arrive.
import { colour, go, library, onTheme } from "./page.js";

const CONFIG = { displayModeBar: false, responsive: true };
const REDRAW_MS = 3000;

function painted(value) {
  if (typeof value === "string") return value.startsWith("var(--os-") ? colour(value) : value;
  if (Array.isArray(value)) return value.map(painted);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, painted(inner)]));
  }
  return value;
}

function cell(content, tag, address) {
  const place = document.createElement(tag);
  if (tag === "th") place.scope = "col";
  if (address) place.append(Object.assign(document.createElement("a"), { href: address, className: "os-link", textContent: content }));
  else place.textContent = content;
  return place;
}

function line(cells, tag, address) {
  const row = document.createElement("tr");
  row.append(...cells.map((content, at) => cell(content, tag, at === 0 ? address : null)));
  for (const figure of [...row.cells].slice(1)) figure.className = "num";
  return row;
}

// Fills the table twin from {"head": [...], "rows": [{"cells": [...], "url": "..."}]}, so that it says what is drawn.
function twin(figure, table) {
  const place = figure.querySelector(".os-twin table");
  if (!table || !place) return;
  const head = document.createElement("thead");
  head.append(line(table.head, "th"));
  const body = document.createElement("tbody");
  body.append(...table.rows.map((row) => line(row.cells, "td", row.url?.startsWith("/") ? row.url : null)));
  place.replaceChildren(head, body);
}

// Says in words what is drawn now: the sentence below the figure, and the same for those who do not see it.
function tell(figure, { title, subtitle, takeaway } = {}) {
  const sentence = figure.querySelector(".os-takeaway");
  if (!sentence || !takeaway) return;
  sentence.textContent = takeaway;
  figure.querySelector(".os-plot").setAttribute("aria-label", `${title}. ${takeaway}`);
  figure.closest("section").querySelector("[data-subtitle]").textContent = subtitle;
}

function say(plot, text) {
  plot.replaceChildren(Object.assign(document.createElement("p"), { className: "os-empty", textContent: text }));
}

function address(point) {
  return Array.isArray(point.customdata) ? point.customdata.at(-1) : point.customdata;
}

async function fetched(source) {
  const answer = await fetch(source, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

function paint(plot, described) {
  return Plotly.react(plot, painted(described.data), painted(described.layout), CONFIG);
}

// Fetches the figure and draws it as it is now.
async function draw(figure) {
  const plot = figure.querySelector(".os-plot");
  const [described] = await Promise.all([fetched(figure.dataset.src), library(figure.dataset.lib)]);
  if (!described.data?.length) return say(plot, "Nothing in this period yet.");
  if (!figure.querySelector("details[open]")?.contains(document.activeElement)) twin(figure, described.layout.meta?.table);
  tell(figure, described.layout.meta);
  figure.described = described;
  await paint(plot, described);
}

async function begin(figure) {
  const plot = figure.querySelector(".os-plot");
  plot.setAttribute("aria-busy", "true");
  try {
    await draw(figure);
    plot.on?.("plotly_click", ({ points }) => go(points.map(address).find((found) => found)));
    onTheme(plot, () => figure.described && paint(plot, figure.described));
  } catch {
    say(plot, "This chart did not load. Open the page again to retry.");
  } finally {
    plot.removeAttribute("aria-busy");
  }
  figure.addEventListener("aos:refresh", () => again(figure));
}

// Runs end in bursts: at most one redraw every few seconds, and always one after the last of them.
function again(figure) {
  figure.due ??= setTimeout(async () => {
    await draw(figure).catch(() => {});
    figure.due = null;
  }, REDRAW_MS);
}

document.querySelectorAll("[data-chart]").forEach(begin);
