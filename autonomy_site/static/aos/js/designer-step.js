// The settings of the selected element: read from the drawing, shown as a form that the server renders, and written back as
// one act that can be undone. What is typed counts when a field is left.
import { show as bring } from "./designer-palette.js";
import { announce } from "./page.js";

const ATTRIBUTES = [
  "role", "action", "lease", "attempts", "path", "title", "risk", "effect", "approve", "reject", "timeout", "capability",
  "priority", "due", "backOff", "costLimit", "timeLimit", "memorySpace", "memoryKey", "memoryFor", "correlation", "decision",
];

// --- from the drawing to plain values, and back -------------------------------------------------------------------
const timerOf = (object) => object.eventDefinitions?.find((each) => each.$type === "bpmn:TimerEventDefinition");
const ours = (object) => (object.extensionElements?.values || []).filter((each) => each.$type.startsWith("aos:"));

function listed(object, type) {
  return ours(object).filter((each) => each.$type === type).map(({ name = "", type: kind = "", label = "", value = "" }) => ({ name, type: kind, label, value }));
}

export function read(element) {
  const object = element.businessObject;
  const found = { kind: element.type, id: object.id, name: object.name || "", inputs: listed(object, "aos:Input"), outputs: listed(object, "aos:Output") };
  for (const name of ATTRIBUTES) found[name] = object.get(`aos:${name}`) || "";
  for (const schema of ours(object).filter((each) => each.$type === "aos:Schema")) found[`${schema.get("of")}_schema`] = schema.body || "";
  const timer = timerOf(object);
  found.event = object.eventDefinitions?.[0]?.$type || "";
  if (timer) found.wait = timer.timeDuration?.body || "";
  if (element.type === "bpmn:BoundaryEvent") found.interrupting = object.cancelActivity !== false;
  if (element.type === "bpmn:CallActivity") found.calls = object.get("calledElement") || "";
  if (element.type === "bpmn:SequenceFlow") Object.assign(found, flow(object));
  return found;
}

function flow(object) {
  return { condition: object.conditionExpression?.body || "", otherwise: object.sourceRef?.default === object, leaves: object.sourceRef?.$type };
}

const differs = (before, after) => JSON.stringify(before) !== JSON.stringify(after);

// One command for all that a form changes, so that one undo takes it back.
function Writer(modeling, moddle) {
  this.preExecute = ({ element, values }) => {
    const object = element.businessObject, before = read(element);
    const plain = { name: values.name || undefined };
    for (const name of ATTRIBUTES) if (name in values) plain[`aos:${name}`] = values[name] || undefined;
    if ("calls" in values) plain.calledElement = values.calls || undefined;
    if ("interrupting" in values && element.type === "bpmn:BoundaryEvent") plain.cancelActivity = values.interrupting;
    modeling.updateProperties(element, plain);
    if (["inputs", "outputs", "input_schema", "output_schema"].some((name) => name in values && differs(before[name] ?? "", values[name]))) {
      modeling.updateProperties(element, { extensionElements: extended(moddle, object, values) });
    }
    if ("wait" in values && timerOf(object)) {
      const length = values.wait ? moddle.create("bpmn:FormalExpression", { body: values.wait }) : undefined;
      modeling.updateModdleProperties(element, timerOf(object), { timeDuration: length, timeDate: undefined, timeCycle: undefined });
    }
    if (element.type === "bpmn:SequenceFlow") writeFlow(modeling, moddle, element, values);
  };
}
Writer.$inject = ["modeling", "moddle"];

// What the form does not know, foreign or ours, stays where it is.
const TYPES = { inputs: "aos:Input", outputs: "aos:Output", input_schema: "aos:Schema", output_schema: "aos:Schema" };

function extended(moddle, object, values) {
  const old = object.extensionElements?.values || [], replaced = Object.keys(TYPES).filter((name) => name in values);
  const goes = (each) => replaced.some((name) => each.$type === TYPES[name] && (TYPES[name] !== "aos:Schema" || `${each.get("of")}_schema` === name));
  const made = replaced.flatMap((name) => {
    if (TYPES[name] !== "aos:Schema") return values[name].map((row) => moddle.create(TYPES[name], filled(row)));
    return values[name] ? [moddle.create("aos:Schema", { of: name.replace("_schema", ""), body: values[name] })] : [];
  });
  const all = [...old.filter((each) => !goes(each)), ...made];
  if (!all.length) return undefined;
  const box = moddle.create("bpmn:ExtensionElements", { values: all });
  box.$parent = object;
  for (const each of all) each.$parent = box;
  return box;
}

const filled = (row) => Object.fromEntries(Object.entries(row).filter(([, given]) => given));

function writeFlow(modeling, moddle, element, values) {
  const object = element.businessObject, before = flow(object);
  if ("condition" in values && values.condition !== before.condition) {
    const expression = values.condition ? moddle.create("bpmn:FormalExpression", { body: values.condition }) : undefined;
    modeling.updateProperties(element, { conditionExpression: expression });
  }
  if ("otherwise" in values && values.otherwise !== before.otherwise) {
    modeling.updateProperties(element.source, { default: values.otherwise ? object : undefined });
  }
}

export const WITH_WRITER = { __init__: [["commandStack", (stack) => stack.registerHandler("aos.write", Writer)]] };

// --- the panel -----------------------------------------------------------------------------------------------------
export function panel(modeler, host) {
  let shown = null, asked = 0;

  async function ask(data) {
    const body = new URLSearchParams({ csrfmiddlewaretoken: host.dataset.token, ...data });
    return fetch(host.dataset.stepPanel, { method: "POST", body, credentials: "same-origin" });
  }

  function chosen() {
    const [element, more] = modeler.get("selection").get();
    return more ? null : element?.labelTarget || element || null;
  }

  async function show() {
    const element = chosen();
    const mine = ++asked;
    const many = modeler.get("selection").get().length;
    shown = element;
    host.querySelector("[data-many-count]").textContent = `${many} selected`;
    if (!element) return put("", many > 1);
    const values = JSON.stringify(read(element));
    const answer = await ask({ values });
    if (mine !== asked || !answer.ok) return;
    if (JSON.stringify(read(element)) !== values) return show(); // it changed while the server worked
    put(await answer.text());
  }

  function put(html, many = false) {
    const place = host.querySelector("[data-step-form]");
    place.innerHTML = html;
    place.hidden = !html;
    host.querySelector("[data-step-many]").hidden = !many;
    host.querySelector("[data-step-none]").hidden = Boolean(html) || many;
  }

  function fresh(html) {
    const active = document.activeElement?.id;
    put(html);
    if (active) document.getElementById(active)?.focus();
  }

  // A form belongs to the element that it was made for, whatever is selected meanwhile; one change follows the other.
  let before = Promise.resolve();
  function apply(form) {
    const given = Object.fromEntries(new FormData(form)), element = modeler.get("elementRegistry").get(form.dataset.element);
    if (element) before = before.then(() => set(form, element, given)).catch(() => announce("Not changed: no connection."));
  }

  async function set(form, element, given) {
    const answer = await ask({ ...given, values: JSON.stringify(read(element)), set: "1" });
    const isShown = form.isConnected && shown === element;
    if (answer.headers.get("Content-Type")?.includes("json")) {
      const { values, form: html, reshaped } = await answer.json();
      if (modeler.get("elementRegistry").get(element.id) && isNew(element, values)) modeler.get("commandStack").execute("aos.write", { element, values });
      if (isShown && reshaped) fresh(html);
      else if (isShown) clear(form);
    } else if (answer.status === 422 && isShown) {
      fresh(await answer.text());
      announce([...host.querySelectorAll(".errorlist")].map((each) => each.textContent.trim()).join(" "));
    }
  }

  function isNew(element, values) {
    const before = read(element);
    return Object.entries(values).some(([name, given]) => differs(before[name] ?? "", given));
  }

  // What was wrong and is right now is no longer said.
  function clear(form) {
    form.querySelectorAll(".errorlist").forEach((each) => each.remove());
    form.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
  }

  host.addEventListener("change", (event) => event.target.form && apply(event.target.form));
  host.addEventListener("submit", (event) => {
    event.preventDefault();
    apply(event.target);
  });
  host.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    document.activeElement.blur();
    modeler.get("canvas").focus();
  });
  modeler.on("selection.changed", show);
  modeler.on("commandStack.changed", ({ trigger }) => {
    if (trigger === "undo" || trigger === "redo") show(); // the form shows what the drawing says again
  });
  modeler.on("element.changed", ({ element }) => {
    const field = (element === shown || element.labelTarget === shown) && host.querySelector("[name=name]");
    if (!field || field === document.activeElement) return;
    field.value = element.businessObject.name || "";
    host.querySelector("[data-step-form] h2").textContent = field.value || host.querySelector("[data-step-form] small").textContent;
  });
  // The field that a reason speaks of, else the first one.
  function field(reason) {
    const named = /aos:(\w+)/.exec(reason)?.[1] || (/condition/i.test(reason) ? "condition" : "");
    return host.querySelector(`[name="${CSS.escape(named)}"]`) || host.querySelector("[data-step-form] :is(input:not([type=hidden]), select, textarea)");
  }

  async function open(element, reason) {
    bring(modeler, element);
    modeler.get("selection").select(element);
    await show();
    const found = field(reason);
    found?.closest("details")?.setAttribute("open", "");
    found?.focus();
  }

  show();
  return { open };
}
