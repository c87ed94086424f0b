// The form of a policy: the server renders it, this module only saves the reload. Typing asks the server what it makes of
// the form and puts in the parts that only tell something; a button or a select that changes the shape puts in the whole
// form and keeps the focus. Without this module the same form works by plain posts.
import { announce } from "./page.js";

const WAIT_MS = 400;
let timer = 0;
let latest = 0;

const form = () => document.querySelector("form[data-drafting]");

async function ask(name, value) {
  const data = new FormData(form());
  data.set(name, value);
  const asked = ++latest;
  const answer = await fetch(form().action, { method: "POST", body: new URLSearchParams(data), credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { answer, page, fresh: page.querySelector("form[data-drafting]"), isLate: asked !== latest };
}

// What only tells: readings, problems, previews, tests.
function tell(fresh) {
  const before = document.getElementById("found").textContent.trim();
  for (const part of form().querySelectorAll("[data-part]")) {
    const now = fresh.querySelector(`#${CSS.escape(part.id)}`);
    if (now && now.innerHTML !== part.innerHTML) part.innerHTML = now.innerHTML;
  }
  for (const control of form().elements) {
    const now = control.id ? fresh.querySelector(`#${CSS.escape(control.id)}`) : null;
    if (now?.hasAttribute("aria-invalid")) control.setAttribute("aria-invalid", "true");
    else if (now) control.removeAttribute("aria-invalid");
  }
  const after = document.getElementById("found").textContent.trim();
  if (after !== before) announce(after.replace(/\s+/g, " "));
}

async function check() {
  const { answer, fresh, isLate } = await ask("do", "check");
  if (answer.ok && fresh && !isLate) tell(fresh);
}

function put(fresh, focus) {
  const { id, selectionStart, selectionEnd } = document.activeElement;
  form().replaceWith(fresh);
  const wanted = fresh.querySelector("#focus")?.value || focus;
  const target = (wanted && document.getElementById(wanted)) || (focus && document.getElementById(focus)) || document.getElementById("main");
  target.focus({ preventScroll: false });
  if (target.id === id && selectionStart != null && target.setSelectionRange) target.setSelectionRange(selectionStart, selectionEnd);
  announce((fresh.querySelector(".os-msg") ?? fresh.querySelector("#found")).textContent.trim().replace(/\s+/g, " "));
}

let shapes = 0;

// What was typed while the server worked stays.
function carry(before, fresh) {
  for (const control of form().elements) {
    const now = before.has(control.id) && control.value !== before.get(control.id) && fresh.querySelector(`#${CSS.escape(control.id)}`);
    if (now) now.value = control.value;
    if (now) soon();
  }
}

async function reshape(action, focus) {
  clearTimeout(timer);
  const before = new Map([...form().elements].filter((each) => each.id && each.type !== "hidden").map((each) => [each.id, each.value]));
  const mine = ++shapes;
  const { page, fresh } = await ask("do", action);
  if (mine !== shapes) return;
  const active = document.activeElement?.id;
  if (fresh) carry(before, fresh);
  if (active && active !== focus && before.has(active)) focus = active;
  if (fresh) return put(document.importNode(fresh, true), focus);
  document.getElementById("main").replaceChildren(...document.importNode(page.getElementById("main") ?? page.body, true).childNodes);
}

// Puts {field} where the caret is, and says so to the check.
function insert(name) {
  const area = document.getElementById(`${name}.reason`);
  const pick = document.getElementById(`${name}.placeholder`);
  if (!pick.value) return pick.focus();
  area.setRangeText(`{${pick.value}}`, area.selectionStart, area.selectionEnd, "end");
  area.focus();
  soon();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(check, WAIT_MS);
}

// An entry typed into the empty place of a list makes room for the next.
function grow(input) {
  if (!input.value) return;
  const next = input.cloneNode();
  next.value = "";
  next.removeAttribute("value");
  next.id = `${input.name}.${input.parentNode.children.length + 1}`;
  input.removeAttribute("data-next");
  input.removeAttribute("placeholder");
  input.setAttribute("aria-label", input.getAttribute("aria-label").replace("add one", String(input.parentNode.children.length)));
  input.after(next);
}

document.addEventListener("input", (event) => {
  if (!event.target.closest("form[data-drafting]") || event.target.matches(".os-pf-pick, [data-shapes]")) return;
  if (event.target.matches("[data-next]")) grow(event.target);
  soon();
});

// Choosing by letters changes a select several times: the last one counts.
document.addEventListener("change", (event) => {
  if (!event.target.matches("form[data-drafting] [data-shapes]")) return;
  clearTimeout(timer);
  timer = setTimeout(reshape, WAIT_MS, "check", event.target.id);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-drafting]")) return;
  const button = event.submitter;
  if (button?.value === "save") return; // what is kept opens another page
  event.preventDefault();
  if (button?.dataset.insert) return insert(button.dataset.insert);
  reshape(button?.value ?? "check", button?.id || document.activeElement?.id || "");
}, { capture: true });
