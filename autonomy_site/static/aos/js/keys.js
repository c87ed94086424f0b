// One registry of shortcuts: it handles the keys and fills the help dialog, so the two cannot disagree.
// A link, button or field says its own key: data-key="a" (or "g o" for a sequence), data-key-label, data-key-group.

const bindings = [];
const SEQUENCE_MS = 900;
const CAPS = { Control: "Ctrl", escape: "Esc" };
const FIELDS = "input:not([type=checkbox],[type=radio]),textarea,select,[contenteditable=true],[role=combobox]";
let pending = "";
let timer = 0;

// Adds a shortcut: keys "j" or "g o" or "Control+k"; `run` answers false when the key means nothing here.
export function bind(keys, label, group, run) {
  bindings.push({ keys, label, group, run });
}

function visible(element) {
  return element.getClientRects().length > 0 && !element.disabled && !element.closest("[inert]");
}

function held(keys) {
  return [...document.querySelectorAll(`[data-key="${CSS.escape(keys)}"]`)].find(visible);
}

function use(element) {
  if (element.matches(FIELDS)) element.focus();
  else element.click();
}

function press(keys) {
  const element = held(keys);
  if (element) {
    use(element);
    return true;
  }
  return bindings.some((binding) => binding.keys === keys && binding.run() !== false);
}

function begins(keys) {
  const start = `${keys} `;
  return bindings.some((binding) => binding.keys.startsWith(start)) || document.querySelector(`[data-key^="${CSS.escape(start)}"]`);
}

function busy(event) {
  return event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing
    || document.documentElement.dataset.shortcuts === "off"
    || event.target.closest?.(FIELDS) || document.querySelector("dialog[open]");
}

function forget() {
  clearTimeout(timer);
  pending = "";
}

function single(event) {
  const key = event.shiftKey && event.key.length === 1 && /[a-z]/i.test(event.key) ? `Shift+${event.key.toLowerCase()}` : event.key.toLowerCase();
  const keys = pending ? `${pending} ${key}` : key;
  forget();
  if (begins(keys)) {
    pending = keys;
    timer = setTimeout(forget, SEQUENCE_MS);
    event.preventDefault();
  } else if (press(keys)) {
    event.preventDefault();
  }
}

// Ctrl Enter presses the button that the field names (data-submits), or the only submit button of its form.
function submit(event) {
  const form = event.target.form;
  const buttons = form ? [...form.querySelectorAll("button:not([type=button],[type=reset])")] : [];
  const named = event.target.dataset?.submits && document.querySelector(event.target.dataset.submits);
  const button = named || (buttons.length === 1 ? buttons[0] : null);
  if (!button) return;
  event.preventDefault();
  form.requestSubmit(button);
}

document.addEventListener("keydown", (event) => {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (command && event.key === "Enter") submit(event);
  else if (command && event.key.toLowerCase() === "k" && press("Control+k")) event.preventDefault();
  else if (!busy(event)) single(event);
});

// --- the help dialog ---------------------------------------------------------------------------------------
function caps(keys) {
  return keys.split(" ").flatMap((key) => key.split("+")).map((key) => {
    const cap = document.createElement("kbd");
    cap.textContent = CAPS[key] || (key.length === 1 ? key.toUpperCase() : key);
    return cap;
  });
}

function listed() {
  const own = [...document.querySelectorAll("[data-key]")].filter(visible).map((element) => ({
    keys: element.dataset.key,
    label: element.dataset.keyLabel || element.getAttribute("aria-label") || element.textContent.trim().replace(/\s+/g, " "),
    group: element.dataset.keyGroup || "On this page",
  }));
  const seen = new Set();
  return [...bindings, ...own].filter(({ keys }) => !seen.has(keys) && seen.add(keys));
}

function section(group, entries) {
  const part = document.createElement("section");
  part.append(Object.assign(document.createElement("h3"), { textContent: group }));
  const list = document.createElement("dl");
  for (const { keys, label } of entries) {
    const line = document.createElement("div");
    const value = document.createElement("dd");
    value.append(...caps(keys).flatMap((cap) => [cap, " "]));
    line.append(Object.assign(document.createElement("dt"), { textContent: label }), value);
    list.append(line);
  }
  part.append(list);
  return part;
}

export function help() {
  const dialog = document.getElementById("shortcuts");
  if (!dialog) return false;
  const groups = Map.groupBy ? Map.groupBy(listed(), (entry) => entry.group) : grouped(listed());
  dialog.querySelector("[data-keys]").replaceChildren(...[...groups].map(([group, entries]) => section(group, entries)));
  dialog.showModal();
}

function grouped(entries) {
  const groups = new Map();
  for (const entry of entries) groups.set(entry.group, [...(groups.get(entry.group) || []), entry]);
  return groups;
}

function neighbour(step) {
  const links = [...(document.querySelector(".os-tabs, .os-seg[aria-label]")?.querySelectorAll("a") || [])];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[at + step];
  if (at < 0 || !next) return false;
  next.click();
}

function search() {
  const field = document.querySelector("main [type=search]");
  if (!field) return press("Control+k");
  field.focus();
  field.select();
}

bind("?", "Show the shortcuts", "Everywhere", help);
bind("/", "Search in this page", "Everywhere", search);
bind("[", "Previous tab", "Everywhere", () => neighbour(-1));
bind("]", "Next tab", "Everywhere", () => neighbour(1));
bind("Control+Enter", "Submit the form", "Everywhere", () => false);
bind("escape", "Close, clear the selection", "Everywhere", () => {
  document.body.dispatchEvent(new CustomEvent("aos:escape"));
  return false;
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-open=shortcuts]")) help();
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog")?.close();
});
