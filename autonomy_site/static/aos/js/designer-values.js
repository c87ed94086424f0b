// What the drawing says about one element as plain values, and back: one act for all that a form changes, so that one undo
// takes it back. What the form does not know, foreign or ours, stays where it is.

const ATTRIBUTES = [
  "role", "action", "lease", "attempts", "path", "title", "risk", "effect", "approve", "reject", "timeout", "capability",
  "priority", "due", "backOff", "costLimit", "timeLimit", "memorySpace", "memoryKey", "memoryFor", "correlation", "decision",
];
const TIMES = { wait: "timeDuration", moment: "timeDate", cycle: "timeCycle" };
const NAMED = { message: "name", signal: "name", error: "errorCode", escalation: "escalationCode" };

// --- to plain values ------------------------------------------------------------------------------------------------
const definition = (object) => object.eventDefinitions?.[0];
const timerOf = (object) => object.eventDefinitions?.find((each) => each.$type === "bpmn:TimerEventDefinition");
const ours = (object) => (object.extensionElements?.values || []).filter((each) => each.$type.startsWith("aos:"));

function listed(object, type) {
  const said = ours(object).filter((each) => each.$type === type);
  return said.map(({ name = "", type: kind = "", of = "", label = "", value = "" }) => ({ name, type: kind, of, label, value }));
}

export function read(element) {
  const object = element.businessObject;
  const found = { kind: element.type, id: object.id, name: object.name || "", inputs: listed(object, "aos:Input"), outputs: listed(object, "aos:Output") };
  for (const name of ATTRIBUTES) found[name] = object.get(`aos:${name}`) || "";
  for (const schema of ours(object).filter((each) => each.$type === "aos:Schema")) found[`${schema.get("of")}_schema`] = schema.body || "";
  found.event = definition(object)?.$type || "";
  found.inside = object.$parent?.$type !== "bpmn:Process";
  for (const [name, tag] of Object.entries(TIMES)) found[name] = timerOf(object)?.[tag]?.body || "";
  found.told = told(object);
  if (element.type === "bpmn:BoundaryEvent") found.interrupting = object.cancelActivity !== false;
  if (element.type === "bpmn:CallActivity") found.calls = object.get("calledElement") || "";
  if (element.type === "bpmn:SequenceFlow") Object.assign(found, flow(object));
  return Object.assign(found, repeat(object));
}

function flow(object) {
  return { condition: object.conditionExpression?.body || "", otherwise: object.sourceRef?.default === object, leaves: object.sourceRef?.$type };
}

// Which element has the reference to a message, signal, error or escalation, and of which of them.
function naming(object) {
  if (/^bpmn:(Send|Receive)Task$/.test(object.$type)) return [object, "message"];
  const event = definition(object), kind = /^bpmn:(\w+)EventDefinition$/.exec(event?.$type || "")?.[1].toLowerCase();
  return kind in NAMED ? [event, kind] : [];
}

const title = (named, kind) => named?.[NAMED[kind]] || named?.name || named?.id || "";

function told(object) {
  const [place, kind] = naming(object);
  return place ? title(place[`${kind}Ref`], kind) : "";
}

// --- how often ------------------------------------------------------------------------------------------------------
const NO_REPEAT = { repeat: "", goes_while: "", most_turns: "", asks_first: false, collection: "", element: "", times: "", enough: "" };
const MANY = "bpmn:MultiInstanceLoopCharacteristics", LOOP = "bpmn:StandardLoopCharacteristics";

function repeat(object) {
  const said = object.loopCharacteristics;
  if (!said) return NO_REPEAT;
  if (said.$type === LOOP) {
    const most = said.get("loopMaximum") ?? said.$attrs?.loopMaximum;
    return { ...NO_REPEAT, repeat: "loop", goes_while: said.loopCondition?.body || "", most_turns: `${most ?? ""}`, asks_first: said.testBefore === true };
  }
  return {
    ...NO_REPEAT, repeat: said.isSequential ? "sequential" : "parallel", times: said.loopCardinality?.body || "", enough: said.completionCondition?.body || "",
    collection: stated(object, said, "collection", "inputCollection"), element: stated(object, said, "element", "elementVariable", "inputElement"),
  };
}

// Under our name, else under that of another program.
function stated(object, said, name, ...elsewhere) {
  const foreign = [said, ...(said.extensionElements?.values || [])].flatMap((each) => Object.entries(each.$attrs || each));
  const other = foreign.find(([key]) => [name, ...elsewhere].includes(key.replace(/^.*:/, "")));
  return said.get(`aos:${name}`) || object.get(`aos:${name}`) || other?.[1] || "";
}

// --- and back -------------------------------------------------------------------------------------------------------
const differs = (before, after) => JSON.stringify(before) !== JSON.stringify(after);

export function isNew(element, values) {
  const before = read(element);
  return Object.entries(values).some(([name, given]) => name !== "becomes" && differs(before[name] ?? "", given));
}

function Writer(modeling, moddle) {
  this.preExecute = ({ element, values }) => {
    const object = element.businessObject, before = read(element);
    const changed = (...names) => names.some((name) => name in values && differs(before[name] ?? "", values[name]));
    const plain = { name: values.name || undefined };
    for (const name of ATTRIBUTES) if (name in values) plain[`aos:${name}`] = values[name] || undefined;
    if ("calls" in values) plain.calledElement = values.calls || undefined;
    if ("interrupting" in values && element.type === "bpmn:BoundaryEvent") plain.cancelActivity = values.interrupting;
    modeling.updateProperties(element, plain);
    if (changed(...Object.keys(TYPES))) modeling.updateProperties(element, { extensionElements: extended(moddle, object, values) });
    if (changed(...Object.keys(TIMES))) writeTime(modeling, moddle, element, values);
    if (changed("told")) writeTold(modeling, moddle, element, values.told);
    if (changed(...Object.keys(NO_REPEAT))) writeRepeat(modeling, moddle, element, { ...NO_REPEAT, ...values }, before);
    if (element.type === "bpmn:SequenceFlow") writeFlow(modeling, moddle, element, values);
  };
}
Writer.$inject = ["modeling", "moddle"];

const expressed = (moddle, body) => (body ? moddle.create("bpmn:FormalExpression", { body }) : undefined);

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

function writeTime(modeling, moddle, element, values) {
  const timer = timerOf(element.businessObject);
  if (!timer) return;
  const said = Object.entries(TIMES).map(([name, tag]) => [tag, expressed(moddle, values[name])]);
  modeling.updateModdleProperties(element, timer, Object.fromEntries(said));
}

// The file declares each name once, beside its processes; what nothing refers to any more and holds only its name goes.
function writeTold(modeling, moddle, element, name) {
  const [place, kind] = naming(element.businessObject);
  if (!place) return;
  const type = `bpmn:${kind[0].toUpperCase()}${kind.slice(1)}`, file = fileOf(element.businessObject);
  let named = file.rootElements.find((each) => each.$type === type && title(each, kind) === name), all = file.rootElements;
  if (name && !named) {
    named = moddle.create(type, { id: moddle.ids.nextPrefixed(`${kind}_`), name, ...(NAMED[kind] === "name" ? {} : { [NAMED[kind]]: name }) });
    named.$parent = file;
    all = [...all, named];
  }
  const before = place[`${kind}Ref`];
  modeling.updateModdleProperties(element, place, { [`${kind}Ref`]: name ? named : undefined });
  if (before && isBare(before) && !isReferred(file, before)) all = all.filter((each) => each !== before);
  if (all !== file.rootElements) modeling.updateModdleProperties(element, file, { rootElements: all });
}

function fileOf(object) {
  let found = object;
  while (found.$parent) found = found.$parent;
  return found;
}

const isBare = (named) => !named.extensionElements && !named.documentation?.length && !Object.keys(named.$attrs || {}).length;

function isReferred(file, named) {
  const inside = (each) => [each, ...(each.flowElements || []), ...(each.eventDefinitions || [])];
  const every = (each) => inside(each).slice(1).flatMap(every).concat(each);
  return file.rootElements.flatMap(every).some((each) => ["messageRef", "signalRef", "errorRef", "escalationRef"].some((ref) => each[ref] === named));
}

function writeRepeat(modeling, moddle, element, values, before) {
  const object = element.businessObject, old = object.loopCharacteristics;
  const type = { "": "", loop: LOOP }[values.repeat] ?? MANY;
  const wanted = type ? (old?.$type === type ? old : made(moddle, type, object)) : undefined;
  const elsewhere = type === MANY ? {} : { "aos:collection": undefined, "aos:element": undefined };
  modeling.updateProperties(element, { loopCharacteristics: wanted, ...elsewhere });
  if (wanted) modeling.updateModdleProperties(element, wanted, type === LOOP ? loop(moddle, values) : each(moddle, values, wanted === old ? before : NO_REPEAT));
}

function made(moddle, type, object) {
  const characteristics = moddle.create(type);
  characteristics.$parent = object;
  return characteristics;
}

function loop(moddle, values) {
  const most = { loopMaximum: values.most_turns || undefined };
  return { loopCondition: expressed(moddle, values.goes_while), testBefore: values.asks_first || undefined, ...most };
}

function each(moddle, values, before) {
  const found = {
    isSequential: values.repeat === "sequential" || undefined, loopCardinality: expressed(moddle, values.times),
    completionCondition: expressed(moddle, values.enough),
  };
  for (const name of ["collection", "element"]) if (values[name] !== before[name]) found[`aos:${name}`] = values[name] || undefined;
  return found;
}

function writeFlow(modeling, moddle, element, values) {
  const object = element.businessObject, before = flow(object);
  if ("condition" in values && values.condition !== before.condition) {
    modeling.updateProperties(element, { conditionExpression: expressed(moddle, values.condition) });
  }
  if ("otherwise" in values && values.otherwise !== before.otherwise) {
    modeling.updateProperties(element.source, { default: values.otherwise ? object : undefined });
  }
}

// --- another kind of step, or another trigger -------------------------------------------------------------------------
const KEPT = {
  "bpmn:ServiceTask": ["due", "priority"], "bpmn:UserTask": ["due", "priority"], "bpmn:SendTask": ["correlation"], "bpmn:ReceiveTask": ["correlation"],
};
const COMPUTED = ["bpmn:ScriptTask", "bpmn:SendTask"], WITH_SCHEMA = ["bpmn:ServiceTask", "bpmn:UserTask"];

// One act as well; what the new kind does not know goes, what both have in common stays, and so does the size of the card.
function Becomer(modeling, moddle, replace, factory) {
  const usual = factory.getDefaultSize.bind(factory);

  function replaced(element, target) {
    const { width, height } = element;
    factory.getDefaultSize = () => ({ width, height });
    try {
      return replace.replaceElement(element, target);
    } finally {
      factory.getDefaultSize = usual;
    }
  }

  this.preExecute = (context) => {
    const { element, target } = context, isEvent = element.type.endsWith("Event");
    const before = read(element), made = (context.made = replaced(element, target)), object = made.businessObject;
    const kept = isEvent ? (/Message/.test(target.eventDefinitionType) ? ["correlation"] : []) : KEPT[target.type] || [];
    const gone = ATTRIBUTES.filter((name) => !kept.includes(name) && object.get(`aos:${name}`));
    if (gone.length) modeling.updateProperties(made, Object.fromEntries(gone.map((name) => [`aos:${name}`, undefined])));
    if (isEvent) return;
    if (target.type === "bpmn:ReceiveTask" && object.loopCharacteristics) modeling.updateProperties(made, { loopCharacteristics: undefined });
    const values = {
      inputs: target.type === "bpmn:CallActivity" ? before.inputs : [],
      outputs: before.outputs.map((row) => (COMPUTED.includes(target.type) ? row : { ...row, value: "" })),
      ...(WITH_SCHEMA.includes(target.type) ? {} : { input_schema: "", output_schema: "" }),
    };
    if (object.extensionElements) modeling.updateProperties(made, { extensionElements: extended(moddle, object, values) });
  };
}
Becomer.$inject = ["modeling", "moddle", "bpmnReplace", "elementFactory"];

const triggered = (element) => /^bpmn:(\w+)EventDefinition$/.exec(definition(element.businessObject)?.$type || "")?.[1].toLowerCase() || "";

// Whether the element became something else, which is selected then.
export function become(modeler, element, wanted) {
  const isEvent = element.type.endsWith("Event");
  if (wanted === undefined || wanted === (isEvent ? triggered(element) : element.type)) return false;
  const target = { type: isEvent ? element.type : wanted };
  if (isEvent && wanted) target.eventDefinitionType = `bpmn:${wanted[0].toUpperCase()}${wanted.slice(1)}EventDefinition`;
  if (element.type === "bpmn:BoundaryEvent") target.cancelActivity = wanted === "error" || element.businessObject.cancelActivity;
  const context = { element, target };
  modeler.get("commandStack").execute("aos.become", context);
  modeler.get("selection").select(context.made);
  return true;
}

export const WITH_WRITER = { __init__: [["commandStack", (stack) => {
  stack.registerHandler("aos.write", Writer);
  stack.registerHandler("aos.become", Becomer);
}]] };
