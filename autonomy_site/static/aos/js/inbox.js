// The list beside a decision: J and K move, Enter opens, X selects. Everything is a plain link or form underneath.
import { bind } from "./keys.js";
import { announce } from "./page.js";

const SMALL = matchMedia("(max-width: 760px)");
const items = () => [...document.querySelectorAll(".os-list .os-item")];
const current = () => items().find((item) => item === document.activeElement) ?? items().find((item) => item.hasAttribute("aria-current"));
const detail = () => document.getElementById("detail");

// Shows the decision of an item beside the list, so that scroll, filter and selection stay as they are.
async function open(item, push = true) {
  items().forEach((each) => each.removeAttribute("aria-current"));
  item.setAttribute("aria-current", "true");
  item.scrollIntoView({ block: "nearest" });
  item.focus({ preventScroll: true });
  // The address first: whoever reloads or copies it in this moment gets the decision they asked for.
  if (push) history.pushState({ inbox: true }, "", item.href);
  await htmx.ajax("GET", item.href, { source: item, target: "#detail", select: "#detail", swap: "outerHTML" });
}

function move(step) {
  const all = items();
  const at = all.indexOf(current());
  const next = all[Math.max(0, Math.min(all.length - 1, at + step))];
  if (!next) return false;
  if (next === all[at]) return;
  if ("other" in next.dataset) reach(next);
  else open(next);
}

// A pile, or a line that leads to more, is only reached: Enter unfolds or follows it.
function reach(item) {
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

bind("j", "Next", "Lists", () => move(1));
bind("k", "Previous", "Lists", () => move(-1));

document.addEventListener("click", (event) => {
  const item = event.target.closest(".os-list .os-item:not([data-other])");
  if (!item || SMALL.matches || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(item);
});
addEventListener("popstate", () => {
  const item = items().find((each) => each.pathname === location.pathname);
  if (item) open(item, false);
  else location.reload();
});

// --- selecting ------------------------------------------------------------------------------------------------
const TOGETHER_AT_MOST = 20;
const boxes = () => [...document.querySelectorAll(".os-list .os-pick input")];
const boxOf = (item) => item?.parentElement.querySelector(":scope > .os-pick input");
let from = null;

function count() {
  const told = document.querySelector("[data-selected]");
  if (!told) return;
  const number = boxes().filter((box) => box.checked).reduce((sum, box) => sum + Number(box.dataset.count ?? 1), 0);
  told.textContent = number > TOGETHER_AT_MOST ? `The first ${TOGETHER_AT_MOST} of ${number}` : `${number} selected`;
  if (number) announce(told.textContent);
}

function select() {
  const box = boxOf(current());
  if (!box) return false;
  box.checked = !box.checked;
  from = box.checked ? box : null;
  count();
}

// From the one that was selected last to the one the reader stands at.
function selectRange() {
  const all = boxes();
  const to = all.indexOf(boxOf(current()));
  if (to < 0) return false;
  const start = from ? all.indexOf(from) : to;
  all.slice(Math.min(start, to), Math.max(start, to) + 1).forEach((box) => { box.checked = true; });
  from = all[to];
  count();
}

bind("x", "Select", "Lists", select);
bind("Shift+x", "Select from the last one to here", "Lists", selectRange);
document.addEventListener("change", ({ target }) => {
  if (!target.matches?.(".os-pick input")) return;
  from = target.checked ? target : null;
  count();
});
document.body.addEventListener("aos:escape", () => {
  boxes().forEach((box) => { box.checked = false; });
  from = null;
});
// A browser that goes back puts the marks in again.
addEventListener("pageshow", count);

// --- what others do meanwhile --------------------------------------------------------------------------------
const ENDS = { "escalation.answered": "who can still undo it", "escalation.approved": "approved", "escalation.rejected": "rejected", "escalation.expired": "no answer in time", "escalation.withdrawn": "withdrawn" };

// A row that somebody else settled stays where it is, greyed, and says who it was.
function grey(row, event) {
  const by = event.actor_kind === "person" ? `Decided by ${event.actor_name}, ${ENDS[event.verb]}` : `Closed: ${ENDS[event.verb]}`;
  row.classList.add("gone");
  row.querySelector("[data-line]").textContent = by;
  row.querySelector(".due").textContent = "";
  if (row.hasAttribute("aria-current")) announce(`${by}: ${event.subject_name}`);
}

const AGAIN = ["escalation.undone", "escalation.returned"];

function wake(row) {
  row.classList.remove("gone");
  row.querySelector("[data-line]").textContent = "Waits for an answer again";
}

document.body.addEventListener("aos:event", ({ detail: event }) => {
  const row = event.verb in ENDS && document.querySelector(`[data-escalation="${CSS.escape(event.subject_id)}"]`);
  if (row) grey(row, event);
  if (AGAIN.includes(event.verb)) document.querySelectorAll(`[data-escalation="${CSS.escape(event.subject_id)}"]`).forEach(wake);
});

const typed = (target) => [...target.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value.trim() !== field.defaultValue.trim());

// The answer is fetched again too, unless something is being typed: then the server says on submit what happened.
document.addEventListener("aos:refresh", ({ target }) => {
  if (target.id !== "answer" || typed(target)) return;
  htmx.ajax("GET", target.dataset.url, { source: target, target, select: "#answer > *", swap: "innerMorph" });
}, true);

// --- the answer -----------------------------------------------------------------------------------------------
// Opening a part puts the focus there; after a refusal into the first field that is wrong.
const FIELDS = "select, textarea, input:not([type=hidden])";
function ask(fold) {
  if (fold?.open) (fold.querySelector("[aria-invalid=true]") ?? fold.querySelector(FIELDS))?.focus();
}

document.addEventListener("toggle", ({ target }) => target.matches?.(".os-fold") && ask(target), true);
ask(document.querySelector(".os-fold[open]"));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.closest?.(".os-fold[open]")) return;
  const fold = event.target.closest(".os-fold");
  fold.open = false;
  fold.querySelector("summary").focus();
});

const bar = document.getElementById("new-ones");
if (bar) new MutationObserver(() => announce(bar.textContent.replace(".", "").trim())).observe(bar, { childList: true, characterData: true, subtree: true });

// --- undo -----------------------------------------------------------------------------------------------------
const undo = document.getElementById("undo");

// Counts down on this computer's clock what the server's clock gave, then the bar has nothing to undo any more.
function countDown(ends) {
  const left = Math.ceil((ends - performance.now()) / 1000);
  if (left <= 0) return undo.remove();
  undo.querySelector("[data-takes-effect]").textContent = `It takes effect in ${left} s.`;
  setTimeout(countDown, 250, ends);
}

if (undo) {
  announce(undo.querySelector("span").textContent.trim().replace(/\s+/g, " "));
  countDown(performance.now() + Date.parse(undo.dataset.until) - Date.parse(undo.dataset.now));
}

// After an answer the reader stands at the next question.
if (undo || document.querySelector(".os-msgs")) detail()?.querySelector(".os-ask")?.focus({ preventScroll: true });
current()?.scrollIntoView({ block: "nearest" });
