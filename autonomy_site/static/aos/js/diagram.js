// Shows a workflow as a picture: <div data-diagram data-xml="...bpmn" data-states="...json" data-lib="...viewer.js">.
// States: {"elements": {"read": {"state": "running", "word": "✓", "seconds": 24, "sub": "AP-01", "url": "/runs", "heat": 7}}}.
import { cut, drawn, fit, took, WITH_CARDS } from "./cards.js";
import { go, library } from "./page.js";

function viewer(host) {
  const aosNames = JSON.parse(host.dataset.names || "{}");
  return new BpmnJS({ container: host, additionalModules: [WITH_CARDS], zoomScroll: { enabled: false }, aosNames, ...drawn });
}

const STATES = ["running", "waiting", "done", "failed", "added", "changed", "removed", "passed"];
const HEATS = Array.from({ length: 11 }, (_, heat) => `heat-${heat}`);

// A file may say what happens without saying where it is drawn.
function bare(host) {
  const said = document.createElement("p");
  said.className = "os-empty";
  said.textContent = "The file of this workflow has no picture. The lists on this page say the same in words.";
  host.parentElement.classList.add("bare");
  host.parentElement.replaceChildren(said);
}

// --- the view ------------------------------------------------------------------------------------------------
function zoom(drawing, host) {
  const canvas = drawing.get("canvas");
  const act = { in: () => canvas.zoom(canvas.zoom() * 1.2), out: () => canvas.zoom(canvas.zoom() / 1.2), fit: () => fit(drawing) };
  host.parentElement.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", act[button.dataset.zoom]));
}

// Badges sit on the upper edge, right-aligned; an overlay is placed from its left, so its width is measured first.
function badge(drawing, shape, entry) {
  const label = Object.assign(document.createElement("span"), { className: `os-badge ${entry.state || ""}`, textContent: `${entry.word} ${took(entry.seconds)}`.trim() });
  drawing.get("overlays").add(shape.id, "aos-badge", { position: { top: -9, left: 0 }, html: label });
  label.parentElement.style.left = `${Math.max(8, shape.width - 10 - label.offsetWidth)}px`;
}

function mark(drawing, elements, urls) {
  const canvas = drawing.get("canvas"), shapes = drawing.get("elementRegistry");
  drawing.get("overlays").remove({ type: "aos-badge" });
  for (const shape of shapes.filter((each) => each.type !== "label")) {
    [...STATES, ...HEATS].forEach((state) => canvas.removeMarker(shape.id, `is-${state}`));
    const entry = elements[shape.id];
    if (!entry) continue;
    if (entry.state) canvas.addMarker(shape.id, `is-${entry.state}`);
    if (entry.heat !== undefined) canvas.addMarker(shape.id, `is-heat-${entry.heat}`);
    if (entry.word && shape.width) badge(drawing, shape, entry);
    if (entry.sub) replaceSub(shapes.getGraphics(shape.id), entry.sub, shape.width);
    urls.set(shape.id, entry.url);
  }
}

function replaceSub(graphics, text, width) {
  const place = graphics.querySelector(".aos-sub");
  if (place) place.textContent = cut(text, width);
}

async function states(host, drawing, urls) {
  if (host.dataset.marks) return mark(drawing, JSON.parse(host.dataset.marks).elements, urls);
  if (!host.dataset.states) return;
  const answer = await fetch(host.dataset.states, { headers: { Accept: "application/json" } });
  if (answer.ok) mark(drawing, (await answer.json()).elements, urls);
}

async function draw(host) {
  const [answer] = await Promise.all([fetch(host.dataset.xml), library(host.dataset.lib), document.fonts.ready]);
  const xml = await answer.text();
  if (!xml.includes("BPMNShape")) return bare(host);
  const drawing = viewer(host);
  const urls = new Map();
  await drawing.importXML(xml);
  drawing.get("zoomScroll").toggle(false);
  fit(drawing);
  zoom(drawing, host);
  drawing.get("eventBus").on("element.click", ({ element }) => go(urls.get(element.id)));
  await states(host, drawing, urls);
  host.addEventListener("aos:refresh", () => states(host, drawing, urls));
  new ResizeObserver(() => { drawing.get("canvas").resized(); fit(drawing); }).observe(host);
}

document.querySelectorAll("[data-diagram]").forEach(draw);
