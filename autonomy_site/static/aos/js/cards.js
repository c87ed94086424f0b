// How every drawing of a workflow looks: tasks as cards (people are round, agents are square), colours from the tokens,
// and our own words in the file. The viewer and the designer share it.

const SVG = "http://www.w3.org/2000/svg";
const KINDS = {
  "bpmn:ServiceTask": "agent", "bpmn:UserTask": "person", "bpmn:BusinessRuleTask": "policy", "bpmn:CallActivity": "call",
  "bpmn:SendTask": "send", "bpmn:ReceiveTask": "receive", "bpmn:ScriptTask": "script",
};
export const WORDS = {
  agent: "Agent task", person: "A person decides", policy: "Policy check", call: "Sub-workflow", send: "Send a message",
  receive: "Wait for a message", script: "Work out values",
};
const ENVELOPE = "M2.4 4.2h11.2v7.6H2.4zM2.6 4.6 8 8.8l5.4-4.2";
const GLYPHS = {
  agent: "M8 1.8v2M3.6 4.8h8.8a1.4 1.4 0 0 1 1.4 1.4v5a1.4 1.4 0 0 1-1.4 1.4H3.6a1.4 1.4 0 0 1-1.4-1.4v-5a1.4 1.4 0 0 1 1.4-1.4zM5.8 8v1.2M10.2 8v1.2",
  person: "M8 7.5a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM2.9 13.7c.5-2.6 2.5-4 5.1-4s4.6 1.4 5.1 4",
  policy: "M8 1.8l5 2v3.6c0 3.2-2.2 5.6-5 6.8-2.8-1.2-5-3.6-5-6.8V3.8zM5.8 7.9l1.6 1.6 2.8-3",
  call: "M2.6 3.4h6v4h-6zM7.4 8.6h6v4h-6zM5.6 7.4v3.2h1.8",
  send: ENVELOPE, receive: ENVELOPE, script: "M5.4 4.6 2.4 8l3 3.4M10.6 4.6l3 3.4-3 3.4",
};
const REPEATS = { "bpmn:StandardLoopCharacteristics": "again and again", "bpmn:MultiInstanceLoopCharacteristics": "for each" };
const LINE_LETTERS = 17;

// Our namespace, so that its attributes and values are read and written under whatever prefix a file gives it.
const text = (name) => ({ name, type: "String", isAttr: true });
const ATTRIBUTES = [
  "role", "action", "lease", "attempts", "path", "title", "risk", "effect", "approve", "reject", "timeout", "capability",
  "priority", "due", "backOff", "costLimit", "timeLimit", "memorySpace", "memoryKey", "memoryFor", "correlation", "decision",
  "collection", "element",
];
const value = (name) => ({ name, superClass: ["Element"], properties: ["name", "type", "of", "label", "value"].map(text) });
export const AOS = {
  name: "Autonomy OS", prefix: "aos", uri: "https://autonomy-os.org/bpmn/1", xml: { tagAlias: "lowerCase" },
  types: [
    { name: "Own", extends: ["bpmn:FlowElement"], properties: ATTRIBUTES.map(text) },
    { name: "OwnEach", extends: ["bpmn:MultiInstanceLoopCharacteristics"], properties: ["collection", "element"].map(text) },
    value("Input"), value("Output"),
    { name: "Schema", superClass: ["Element"], properties: [text("of"), { name: "body", type: "String", isBody: true }] },
  ],
};

// What our namespace says about an element; empty when it says nothing.
export function own(element, name) {
  return element.businessObject.get(`aos:${name}`) || "";
}

export function kindOf(element) {
  if (element.type === "bpmn:Task") return own(element, "role") ? "agent" : own(element, "path") ? "person" : undefined;
  return KINDS[element.type];
}

// An element in words, also one without a name.
export function called({ type, businessObject: object }) {
  if (type === "bpmn:SequenceFlow") return `The way from ${end(object.sourceRef)} to ${end(object.targetRef)}${object.name ? `, “${object.name}”` : ""}`;
  return object.name ? `“${object.name}”` : WORDS[KINDS[type]] || type.replace("bpmn:", "").replace(/(?!^)([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

const end = (object) => called({ type: object.$type, businessObject: object });

function svg(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, given] of Object.entries(attributes)) element.setAttribute(key, given);
  parent.append(element);
  return element;
}

function lines(name, letters) {
  const found = [""];
  for (const word of name.split(/\s+/)) {
    const longer = `${found.at(-1)} ${word}`.trim();
    if (longer.length > letters && found.at(-1)) found.push(word);
    else found[found.length - 1] = longer;
  }
  return found.length > 2 ? [found[0], `${found[1]} …`] : found;
}

export function cut(words, width) {
  const letters = Math.floor((width - 24) / 5.6);
  return words.length > letters ? `${words.slice(0, letters - 1)}…` : words;
}

// PT4H as people write it: 4 h.
export function spoken(duration) {
  const parts = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(duration || "");
  return parts ? ["w", "d", "h", "min", "s"].map((unit, at) => (parts[at + 1] ? `${parts[at + 1]} ${unit}` : "")).filter(Boolean).join(" ") : "";
}

function sub(shape, kind, names) {
  const role = own(shape, "role"), path = own(shape, "path"), calls = shape.businessObject.get("calledElement");
  const who = names.roles?.[role] || role || names.paths?.[path] || path || names.workflows?.[calls] || calls || own(shape, "capability") || shape.businessObject.get("messageRef")?.name;
  const due = spoken(own(shape, "due"));
  return (who || WORDS[kind]) + (due ? `, within ${due}` : "");
}

function card(shape, kind, names, group) {
  const node = svg("rect", { width: shape.width, height: shape.height, rx: 10, class: "aos-node" }, group);
  if (kind === "person") svg("circle", { cx: 24, cy: 25, r: 13, class: "aos-plate person" }, group);
  else svg("rect", { x: 11, y: 12, width: 26, height: 26, rx: 7, class: "aos-plate" }, group);
  svg("path", { d: GLYPHS[kind] }, svg("g", { transform: "translate(16 17)", class: `aos-glyph ${kind}` }, group));
  const title = lines((shape.businessObject.name || "").trim() || WORDS[kind], Math.max(LINE_LETTERS, Math.floor((shape.width - 54) / 6.6)));
  title.forEach((words, at) => {
    svg("text", { x: 46, y: (title.length > 1 ? 22 : 29) + at * 15, class: "aos-title" }, group).textContent = words;
  });
  const repeats = REPEATS[shape.businessObject.loopCharacteristics?.$type];
  const below = [sub(shape, kind, names), repeats].filter(Boolean).join(", ");
  svg("text", { x: 12, y: shape.height - 12, class: "aos-sub" }, group).textContent = cut(below, shape.width);
  return node;
}

function Cards(bus, names) {
  bus.on("render.shape", 1500, (event, { element, gfx }) => {
    const kind = kindOf(element);
    return kind && !element.labelTarget ? card(element, kind, names || {}, gfx) : undefined;
  });
}
Cards.$inject = ["eventBus", "config.aosNames"];

export const WITH_CARDS = { __init__: ["aosCards"], aosCards: ["type", Cards] };
export const drawn = {
  bpmnRenderer: {
    defaultFillColor: "var(--os-surface)", defaultStrokeColor: "var(--os-field)", defaultLabelColor: "var(--os-ink-2)",
  },
  textRenderer: { defaultStyle: { fontFamily: "Inter Variable", fontSize: 12 }, externalStyle: { fontSize: 12 } },
  moddleExtensions: { aos: AOS },
};

// Shows the whole drawing; `edge` keeps its sides free for what lies above the canvas.
export function fit(drawing, edge = { left: 24, right: 24, top: 24, bottom: 52 }) {
  const canvas = drawing.get("canvas");
  const { inner } = canvas.viewbox(), outer = canvas.getSize();
  const wide = outer.width - edge.left - edge.right, high = outer.height - edge.top - edge.bottom;
  if (wide <= 0 || high <= 0 || !inner.width) return;
  const scale = Math.min(1.1, wide / inner.width, high / inner.height);
  const left = edge.left + (wide - inner.width * scale) / 2, top = edge.top + (high - inner.height * scale) / 2;
  canvas.viewbox({ x: inner.x - left / scale, y: inner.y - top / scale, width: outer.width / scale, height: outer.height / scale });
}

// A length in its two largest units, as the pages write it: 0.1 s, 24 s, 2 m 06 s, 2 h 14 m.
export function took(seconds) {
  if (seconds === undefined) return "";
  const whole = Math.round(seconds), two = (number) => String(number).padStart(2, "0");
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}
