// The settings of the selected element, as a form that the server renders; what is typed counts when a field is left.
import { become, isNew, read } from "./designer-values.js";
import { show as bring } from "./designer-palette.js";
import { announce } from "./page.js";

// --- the panel -----------------------------------------------------------------------------------------------------
// The field that a reason speaks of in the words of the drawing.
const WORDS = [
  [/completionCondition/, "enough"], [/loopCondition/, "goes_while"], [/loopMaximum/, "most_turns"], [/loopCardinality,/, "times"],
  [/how often/, "collection"], [/aos:collection/, "collection"], [/calledElement/, "calls"], [/^Correlation/, "correlation"],
  [/which (message|signal)|needs a message/, "told"], [/timer|Timer|duration|moment|cycle/, "wait"], [/condition/i, "condition"],
];

export function panel(modeler, host) {
  let shown = null, asked = 0, last = "";

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
    if (element) last = element.id;
    host.querySelector("[data-many-count]").textContent = `${many} selected`;
    if (!element) return put("", many > 1);
    const values = JSON.stringify(read(element));
    const answer = await ask({ values });
    if (mine !== asked || !answer.ok) return;
    if (JSON.stringify(read(element)) !== values) return show(); // it changed while the server worked
    fresh(await answer.text());
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
    if (!element) return;
    before = before.then(() => set(form, element, given)).catch(() => announce("Not changed: no connection."));
    modeler.get("eventBus").fire("aos.setting", { done: before });
  }

  async function set(form, element, given) {
    const answer = await ask({ ...given, values: JSON.stringify(read(element)), set: "1" });
    const isShown = form.isConnected && shown === element;
    if (answer.headers.get("Content-Type")?.includes("json")) {
      const { values, form: html, reshaped } = await answer.json();
      if (!modeler.get("elementRegistry").get(element.id)) return;
      if (become(modeler, element, values.becomes)) return document.getElementById("id_becomes")?.focus();
      if (isNew(element, values)) modeler.get("commandStack").execute("aos.write", { element, values });
      if (isShown && reshaped) fresh(html);
      else if (isShown) clear(form);
    } else if (answer.status === 422 && isShown) {
      fresh(await answer.text());
      announce([...host.querySelectorAll(".errorlist")].map((each) => each.textContent.trim()).join(" "));
    }
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
  modeler.on("selection.changed", () => {
    if (!shown || chosen() !== shown) show(); // the same one selected again keeps its form, and what is being typed in it
  });
  modeler.on("commandStack.changed", ({ trigger }) => {
    if (trigger !== "undo" && trigger !== "redo") return;
    const same = modeler.get("elementRegistry").get(last); // what became something else is another element with the same id
    if (!shown && same) modeler.get("selection").select(same);
    else show(); // the form shows what the drawing says again
  });
  modeler.on("element.changed", ({ element }) => (element === shown || element.labelTarget === shown) && named(element));
  modeler.on("directEditing.deactivate", () => queueMicrotask(() => shown && named(shown)));
  // The form says the name that the drawing has, unless somebody is writing another one.
  function named(element) {
    const field = host.querySelector("[name=name]");
    if (!field || field === document.activeElement) return;
    field.value = element.businessObject.name || "";
    host.querySelector("[data-step-form] h2").textContent = field.value || host.querySelector("[data-step-form] small").textContent;
  }
  // The field that a reason speaks of, else the first one.
  function field(reason) {
    const [, name] = WORDS.find(([word]) => word.test(reason)) || [];
    const named = name || /aos:(\w+)/.exec(reason)?.[1] || "";
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
