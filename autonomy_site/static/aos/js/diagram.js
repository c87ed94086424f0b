// Shows a workflow as a picture: <div data-diagram data-xml="...bpmn" data-states="...json" data-lib="...viewer.js">.
// States: {"elements": {"read": {"state": "running|waiting|done|failed", "word": "✓", "seconds": 24, "sub": "AP-01", "url": "/runs"}}}.
import { go, library } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
const KINDS = { "bpmn:ServiceTask": "agent", "bpmn:UserTask": "person" };
const WORDS = { agent: "Agent task", person: "A person decides" };
const GLYPHS = {
  agent: "M8 1.8v2M3.6 4.8h8.8a1.4 1.4 0 0 1 1.4 1.4v5a1.4 1.4 0 0 1-1.4 1.4H3.6a1.4 1.4 0 0 1-1.4-1.4v-5a1.4 1.4 0 0 1 1.4-1.4zM5.8 8v1.2M10.2 8v1.2",
  person: "M8 7.5a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM2.9 13.7c.5-2.6 2.5-4 5.1-4s4.6 1.4 5.1 4",
};
const LINE_LETTERS = 17;

function svg(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

// --- cards: people are round, agents are square --------------------------------------------------------------
function lines(name, letters) {
  const found = [""];
  for (const word of name.split(" ")) {
    const longer = `${found.at(-1)} ${word}`.trim();
    if (longer.length > letters && found.at(-1)) found.push(word);
    else found[found.length - 1] = longer;
  }
  return found.length > 2 ? [found[0], `${found[1]} …`] : found;
}

function cut(text, width) {
  const letters = Math.floor((width - 24) / 5.6);
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}

function sub(shape, kind) {
  const given = shape.businessObject.$attrs;
  return given["aos:role"] || given["aos:path"] || WORDS[kind];
}

function card(shape, kind, group) {
  const node = svg("rect", { width: shape.width, height: shape.height, rx: 10, class: "aos-node" }, group);
  if (kind === "person") svg("circle", { cx: 24, cy: 25, r: 13, class: "aos-plate person" }, group);
  else svg("rect", { x: 11, y: 12, width: 26, height: 26, rx: 7, class: "aos-plate" }, group);
  svg("path", { d: GLYPHS[kind] }, svg("g", { transform: "translate(16 17)", class: `aos-glyph ${kind}` }, group));
  const title = lines(shape.businessObject.name || WORDS[kind], Math.max(LINE_LETTERS, Math.floor((shape.width - 54) / 6.6)));
  title.forEach((text, at) => {
    svg("text", { x: 46, y: (title.length > 1 ? 22 : 29) + at * 15, class: "aos-title" }, group).textContent = text;
  });
  svg("text", { x: 12, y: shape.height - 12, class: "aos-sub" }, group).textContent = cut(sub(shape, kind), shape.width);
  return node;
}

function Cards(bus) {
  bus.on("render.shape", 1500, (event, { element, gfx }) => {
    const kind = KINDS[element.type];
    return kind && !element.labelTarget ? card(element, kind, gfx) : undefined;
  });
}
Cards.$inject = ["eventBus"];

function viewer(host) {
  return new BpmnJS({
    container: host,
    additionalModules: [{ __init__: ["aosCards"], aosCards: ["type", Cards] }],
    zoomScroll: { enabled: false },
    bpmnRenderer: {
      defaultFillColor: "var(--os-surface)", defaultStrokeColor: "var(--os-field)", defaultLabelColor: "var(--os-ink-2)",
    },
    textRenderer: { defaultStyle: { fontFamily: "Inter Variable", fontSize: 12 }, externalStyle: { fontSize: 12 } },
  });
}

// --- the view ------------------------------------------------------------------------------------------------
function fit(drawing) {
  const canvas = drawing.get("canvas");
  const { inner } = canvas.viewbox(), outer = canvas.getSize(), edge = 24, foot = 52;
  const wide = outer.width - 2 * edge, high = outer.height - edge - foot; // the zoom buttons stand at the foot
  if (wide <= 0 || high <= 0 || !inner.width) return;
  const scale = Math.min(1.1, wide / inner.width, high / inner.height);
  const left = (outer.width - inner.width * scale) / 2, top = edge + (high - inner.height * scale) / 2;
  canvas.viewbox({ x: inner.x - left / scale, y: inner.y - top / scale, width: outer.width / scale, height: outer.height / scale });
}

function zoom(drawing, host) {
  const canvas = drawing.get("canvas");
  const act = { in: () => canvas.zoom(canvas.zoom() * 1.2), out: () => canvas.zoom(canvas.zoom() / 1.2), fit: () => fit(drawing) };
  host.parentElement.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", act[button.dataset.zoom]));
}

// A length in its two largest units, as the pages write it: 0.1 s, 24 s, 2 m 06 s, 2 h 14 m.
function took(seconds) {
  if (seconds === undefined) return "";
  const whole = Math.round(seconds), two = (number) => String(number).padStart(2, "0");
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

// Badges sit on the upper edge, right-aligned; an overlay is placed from its left, so its width is measured first.
function badge(drawing, shape, entry) {
  const label = Object.assign(document.createElement("span"), { className: `os-badge ${entry.state || ""}`, textContent: `${entry.word} ${took(entry.seconds)}`.trim() });
  drawing.get("overlays").add(shape.id, { position: { top: -9, left: 0 }, html: label });
  label.parentElement.style.left = `${Math.max(8, shape.width - 10 - label.offsetWidth)}px`;
}

function mark(drawing, elements, urls) {
  const canvas = drawing.get("canvas"), shapes = drawing.get("elementRegistry");
  drawing.get("overlays").clear();
  for (const shape of shapes.filter((each) => each.type !== "label")) {
    ["running", "waiting", "done", "failed"].forEach((state) => canvas.removeMarker(shape.id, `is-${state}`));
    const entry = elements[shape.id];
    if (!entry) continue;
    if (entry.state) canvas.addMarker(shape.id, `is-${entry.state}`);
    if (entry.word) badge(drawing, shape, entry);
    if (entry.sub) replaceSub(shapes.getGraphics(shape.id), entry.sub, shape.width);
    urls.set(shape.id, entry.url);
  }
}

function replaceSub(graphics, text, width) {
  const place = graphics.querySelector(".aos-sub");
  if (place) place.textContent = cut(text, width);
}

async function states(host, drawing, urls) {
  if (!host.dataset.states) return;
  const answer = await fetch(host.dataset.states, { headers: { Accept: "application/json" } });
  if (answer.ok) mark(drawing, (await answer.json()).elements, urls);
}

async function draw(host) {
  const [answer] = await Promise.all([fetch(host.dataset.xml), library(host.dataset.lib), document.fonts.ready]);
  const drawing = viewer(host);
  const urls = new Map();
  await drawing.importXML(await answer.text());
  drawing.get("zoomScroll").toggle(false);
  fit(drawing);
  zoom(drawing, host);
  drawing.get("eventBus").on("element.click", ({ element }) => go(urls.get(element.id)));
  await states(host, drawing, urls);
  host.addEventListener("aos:refresh", () => states(host, drawing, urls));
  new ResizeObserver(() => { drawing.get("canvas").resized(); fit(drawing); }).observe(host);
}

document.querySelectorAll("[data-diagram]").forEach(draw);
