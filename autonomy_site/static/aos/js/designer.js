// The designer: a drawing that people change, kept as the draft on the server. <div data-designer data-xml data-lib ...>.
import { called, drawn, fit, WITH_CARDS } from "./cards.js";
import { draft, problems } from "./designer-draft.js";
import { lanes, menu, palette, show } from "./designer-palette.js";
import { panel } from "./designer-step.js";
import { WITH_WRITER } from "./designer-values.js";
import { announce, library } from "./page.js";

const EDGE = { left: 120, right: 40, top: 24, bottom: 60 };
// Ours stand in the page.
const QUIET = {
  palette: ["value", { registerProvider() {}, updateToolHighlight() {} }], paletteProvider: ["value", null],
  contextPadProvider: ["value", null],
};

function modelerOf(host) {
  return new BpmnJS({
    container: host, additionalModules: [WITH_CARDS, WITH_WRITER, QUIET], aosNames: JSON.parse(host.dataset.names), ...drawn,
  });
}

// --- the tools at the foot of the canvas ------------------------------------------------------------------------------
function tools(modeler, page) {
  const canvas = modeler.get("canvas"), actions = modeler.get("editorActions");
  const acts = {
    in: () => canvas.zoom(canvas.zoom() * 1.2), out: () => canvas.zoom(canvas.zoom() / 1.2), fit: () => fit(modeler, EDGE),
    undo: () => actions.trigger("undo"), redo: () => actions.trigger("redo"), find: () => actions.trigger("find"),
    copy: () => actions.trigger("copy"), paste: () => paste(modeler), remove: () => actions.trigger("removeSelection"),
    lanes: () => { lanes(modeler); fit(modeler, EDGE); },
  };
  page.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tool]");
    if (!button) return;
    const [name, how] = button.dataset.tool.split(":");
    if (name === "align") actions.trigger("alignElements", { type: how });
    else if (name === "spread") actions.trigger("distributeElements", { type: how });
    else {
      if (name === "find") event.stopPropagation(); // a click elsewhere closes the search
      acts[name]();
    }
  });
  const enable = () => {
    const stack = modeler.get("commandStack");
    for (const [name, can] of [["undo", stack.canUndo()], ["redo", stack.canRedo()]]) {
      page.querySelector(`[data-tool=${name}]`).setAttribute("aria-disabled", String(!can));
    }
  };
  const framed = () => { page.querySelector("[data-tool=lanes]").hidden = Boolean(modeler.get("elementRegistry").find((each) => each.type === "bpmn:Participant")); };
  modeler.on(["commandStack.changed", "import.done"], framed);
  framed();
  modeler.on("commandStack.changed", enable);
  enable();
}

// Without a pointer over the canvas a copy goes beside what is selected.
function paste(modeler) {
  const [chosen] = modeler.get("selection").get();
  const root = chosen?.parent || modeler.get("canvas").getRootElement();
  const point = chosen ? { x: chosen.x + (chosen.width || 0) / 2 + 40, y: chosen.y + (chosen.height || 0) * 2 + 40 } : undefined;
  const made = modeler.get("copyPaste").paste(point ? { element: root, point } : undefined);
  if (made) announce("Pasted.");
}

// --- keys: Alt and an arrow walks through the steps, Enter opens the settings of the selected one ------------------------
function order(modeler) {
  const place = (each) => (each.waypoints ? { x: (each.waypoints[0].x + each.waypoints.at(-1).x) / 2, y: each.waypoints[0].y } : each);
  const steps = modeler.get("elementRegistry").filter((each) => !each.labelTarget && each.parent && !/Lane|Participant/.test(each.type));
  return steps.map((each) => ({ each, x: place(each).x, y: place(each).y })).sort((one, other) => one.x - other.x || one.y - other.y).map(({ each }) => each);
}

function walk(modeler, by) {
  const steps = order(modeler), [chosen] = modeler.get("selection").get();
  const next = steps[(steps.indexOf(chosen) + by + steps.length) % steps.length] || steps[0];
  if (!next) return;
  modeler.get("selection").select(next);
  show(modeler, next);
  announce(`${called(next)}, ${steps.indexOf(next) + 1} of ${steps.length}`);
}

function keys(modeler) {
  modeler.get("keyboard").addListener(2000, ({ keyEvent: event }) => {
    if (event.altKey && /^Arrow/.test(event.key)) {
      walk(modeler, /Right|Down/.test(event.key) ? 1 : -1);
      return true;
    }
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      document.querySelector("[data-step-panel] :is(input, select, textarea):not([type=hidden])")?.focus();
      return true;
    }
  });
}

// --- the page -----------------------------------------------------------------------------------------------------------
async function start(page) {
  const host = page.querySelector("[data-canvas]");
  if (!host.offsetWidth) return; // a phone shows the list instead
  const [answer] = await Promise.all([fetch(host.dataset.xml, { cache: "no-store" }), library(host.dataset.lib), document.fonts.ready]);
  if (!answer.ok) return;
  [page.dataset.revision] = /\d+/.exec(answer.headers.get("ETag")); // a server that compresses makes it W/"7"
  const modeler = modelerOf(host);
  await modeler.importXML(await answer.text());
  fit(modeler, EDGE);
  const svg = host.querySelector("svg");
  svg.setAttribute("role", "application");
  svg.setAttribute("aria-label", "The drawing. Alt and an arrow key walks through the steps, Enter opens the settings of the selected one.");
  palette(modeler, page.querySelector("[data-palette]"));
  menu(modeler, page.querySelector("[data-menu]"));
  tools(modeler, page);
  keys(modeler);
  const settings = panel(modeler, page.querySelector("[data-step-panel]"));
  draft(modeler, page, problems(modeler, page.querySelector("[data-problems]"), settings.open));
  // Not while a name is written on the canvas: that would end it half-way.
  const resized = () => modeler.get("directEditing").isActive() || modeler.get("canvas").resized();
  new ResizeObserver(resized).observe(host);
  modeler.on("directEditing.deactivate", () => queueMicrotask(resized));
  const wanted = modeler.get("elementRegistry").get(location.hash.slice(1));
  if (wanted) modeler.get("selection").select(wanted);
  page.dataset.ready = "1";
}

document.querySelectorAll("[data-designer]").forEach(start);
