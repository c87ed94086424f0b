// What can be put into a drawing: the palette at the left, and the small menu beside the selected element. Every entry works
// by dragging, by click and click, and from the keyboard alone.
import { called } from "./cards.js";
import { announce } from "./page.js";

const CARD = { width: 168, height: 72 };
export const PIECES = {
  agent: { type: "bpmn:ServiceTask", ...CARD },
  approval: { type: "bpmn:UserTask", ...CARD },
  policy: { type: "bpmn:BusinessRuleTask", ...CARD },
  decision: { type: "bpmn:ExclusiveGateway" },
  parallel: { type: "bpmn:ParallelGateway" },
  wait: { type: "bpmn:IntermediateCatchEvent", eventDefinitionType: "bpmn:TimerEventDefinition" },
  call: { type: "bpmn:CallActivity", ...CARD },
  end: { type: "bpmn:EndEvent" },
  limit: { type: "bpmn:BoundaryEvent", eventDefinitionType: "bpmn:TimerEventDefinition" },
};
const CONTAINERS = /^bpmn:(Process|SubProcess|Participant|Lane)$/;

function shapeOf(modeler, name) {
  const shape = modeler.get("elementFactory").createShape({ ...PIECES[name] });
  if (PIECES[name].type === "bpmn:IntermediateCatchEvent") shape.businessObject.name = "";
  return shape;
}

// The element that keyboards continue from: the one selected step that an arrow may leave.
function source(modeler) {
  const [chosen, more] = modeler.get("selection").get();
  const ends = /^bpmn:(EndEvent|Participant|Lane|Process|SequenceFlow|TextAnnotation)$/;
  return chosen && !more && !chosen.labelTarget && !chosen.waypoints && !ends.test(chosen.type) ? chosen : null;
}

function middle(canvas) {
  const { x, y, width, height } = canvas.viewbox();
  return { x: Math.round(x + width / 2), y: Math.round(y + height / 2) };
}

// Brings an element into sight, beside the palette and not under it.
export function show(modeler, element) {
  modeler.get("canvas").scrollToElement(element, { left: 130, right: 110, top: 60, bottom: 80 });
}

function room(modeler) {
  const pools = modeler.get("elementRegistry").filter((each) => each.type === "bpmn:Participant" && each.children.length);
  return pools[0] || modeler.get("canvas").getRootElement();
}

const GAP = 48;
const right = (shape) => shape.x + shape.width;

const centre = (shape) => shape.y + shape.height / 2;

// From the right side of one to the left side of the other, with a step where they are not level.
function route(modeling, arrow) {
  const { source, target } = arrow, from = { x: right(source), y: centre(source) }, to = { x: target.x, y: centre(target) };
  if (to.x <= from.x) return modeling.layoutConnection(arrow);
  const half = Math.round((from.x + to.x) / 2);
  const bend = from.y === to.y ? [] : [{ x: half, y: from.y }, { x: half, y: to.y }];
  modeling.updateWaypoints(arrow, [from, ...bend, to]);
}

// What was dropped onto an arrow gets room between its neighbours; everything behind it moves on.
function makeRoom(modeler, shape) {
  const before = shape.incoming[0]?.source, after = shape.outgoing[0]?.target, modeling = modeler.get("modeling");
  if (!before || !after || after.x < right(before)) return;
  const push = Math.max(0, right(before) + GAP - shape.x), level = centre(before) === centre(after) ? centre(before) - centre(shape) : 0;
  if (push || level) modeling.moveElements([shape], { x: push, y: level });
  const more = right(shape) + GAP - after.x;
  if (more > 0) {
    const others = modeler.get("elementRegistry").filter((each) => each.parent && each !== shape && !each.waypoints && !each.labelTarget);
    const { movingShapes, resizingShapes } = modeler.get("spaceTool").calculateAdjustments(others, "x", more, after.x - 1);
    modeling.createSpace(movingShapes.filter((each) => each !== shape), resizingShapes, { x: more, y: 0 }, "e", after.x - 1);
  }
  for (const arrow of [...shape.incoming, ...shape.outgoing]) route(modeling, arrow);
}

// Puts a new element after the selected one, or into the middle of what is in sight.
export function place(modeler, name) {
  const from = source(modeler), shape = shapeOf(modeler, name), [arrow] = modeler.get("selection").get();
  if (arrow?.type === "bpmn:SequenceFlow" && name !== "end") return insert(modeler, shape, arrow);
  const made = from ? modeler.get("autoPlace").append(from, shape) : modeler.get("modeling").createShape(shape, middle(modeler.get("canvas")), room(modeler));
  modeler.get("selection").select(made);
  show(modeler, made);
  modeler.get("directEditing").activate(made); // moving the canvas ended the one that began with the element
  announce(from ? `Added after ${called(from)}.` : "Added in the middle.");
  return made;
}

function insert(modeler, shape, arrow) {
  const half = arrow.waypoints[Math.floor((arrow.waypoints.length - 1) / 2)], next = arrow.waypoints[Math.ceil(arrow.waypoints.length / 2)] || half;
  const made = modeler.get("modeling").createShape(shape, { x: (half.x + next.x) / 2, y: (half.y + next.y) / 2 }, arrow);
  makeRoom(modeler, made);
  modeler.get("selection").select(made);
  show(modeler, made);
  modeler.get("directEditing").activate(made);
  announce("Put into the way.");
  return made;
}

function limit(modeler, host) {
  const at = { x: host.x + host.width - 28, y: host.y + host.height };
  const made = modeler.get("modeling").createShape(shapeOf(modeler, "limit"), at, host, { attach: true });
  modeler.get("selection").select(made);
}

function append(modeler, event, name) {
  const from = source(modeler);
  if (event.type === "dragstart" && from) modeler.get("create").start(event, shapeOf(modeler, name), { source: from });
  else if (from) place(modeler, name);
}

function press(modeler, event, name) {
  if (name === "connect") return modeler.get("globalConnect").toggle(event);
  if (event.type === "click" && event.detail === 0) return place(modeler, name); // Enter or space, not a pointer
  modeler.get("create").start(event, shapeOf(modeler, name));
}

export function palette(modeler, bar) {
  modeler.on("create.end", 600, ({ context }) => {
    // before the name is asked, which any change would end
    if (context.target?.waypoints && context.shape.parent) makeRoom(modeler, context.shape);
  });
  for (const kind of ["click", "dragstart"]) {
    bar.addEventListener(kind, (event) => {
      const button = event.target.closest("[data-piece]");
      if (!button) return;
      if (kind === "dragstart") event.preventDefault();
      press(modeler, event, button.dataset.piece);
    });
  }
  bar.addEventListener("mousedown", (event) => event.stopPropagation());
}

// Frames the whole drawing with a pool of two lanes, so that it shows who does what.
export function lanes(modeler) {
  const registry = modeler.get("elementRegistry"), modeling = modeler.get("modeling"), root = modeler.get("canvas").getRootElement();
  if (registry.find((each) => each.type === "bpmn:Participant")) return;
  const { x, y, width, height } = modeler.get("canvas").viewbox().inner;
  const size = { x: x - 70, y: y - 60, width: Math.max(600, width + 140), height: Math.max(250, height + 120) };
  const frame = modeler.get("elementFactory").createParticipantShape({ type: "bpmn:Participant", ...size });
  const made = modeling.createShape(frame, { x: size.x + size.width / 2, y: size.y + size.height / 2, width: size.width, height: size.height }, root);
  modeling.updateProperties(made, { name: made.businessObject.processRef?.name || "" });
  modeling.addLane(made, "bottom");
  modeler.get("selection").select(made);
  announce("Framed with two lanes.");
}

// --- the menu beside the selected element -----------------------------------------------------------------------
const ACTS = {
  connect: (modeler, event, element) => modeler.get("connect").start(event, element),
  limit: (modeler, event, element) => limit(modeler, element),
  lane: (modeler, event, element) => modeler.get("selection").select(modeler.get("modeling").addLane(element, "bottom")),
  remove: (modeler) => modeler.get("editorActions").trigger("removeSelection"),
};

function fits(act, element) {
  const can = !CONTAINERS.test(element.type) && !element.waypoints && element.type !== "bpmn:EndEvent" && element.type !== "label";
  if (act === "lane") return /^bpmn:(Participant|Lane)$/.test(element.type);
  if (act === "limit") return /Task$|CallActivity$/.test(element.type);
  if (act in PIECES || act === "connect") return can && element.type !== "bpmn:TextAnnotation";
  return true;
}

export function menu(modeler, template) {
  const overlays = modeler.get("overlays");
  const close = () => overlays.remove({ type: "aos-menu" });

  function open() {
    close();
    const [element, more] = modeler.get("selection").get();
    if (!element || more || element.waypoints || element.labelTarget) return;
    const pad = template.content.firstElementChild.cloneNode(true);
    for (const button of pad.querySelectorAll("[data-act]")) button.hidden = !fits(button.dataset.act, element);
    for (const kind of ["click", "dragstart"]) pad.addEventListener(kind, (event) => act(event, element));
    pad.addEventListener("mousedown", (event) => event.stopPropagation());
    overlays.add(element, "aos-menu", { position: { top: 0, right: -8 }, scale: false, html: pad });
  }

  function act(event, element) {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    if (event.type === "dragstart") event.preventDefault();
    const name = button.dataset.act;
    if (name in ACTS) ACTS[name](modeler, event, element);
    else append(modeler, event, name);
  }

  modeler.on("selection.changed", open);
  modeler.on(["drag.start", "shape.remove", "directEditing.activate"], close);
  modeler.on(["drag.cleanup", "elements.changed", "directEditing.deactivate"], () => queueMicrotask(open));
}
