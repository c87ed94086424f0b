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
const ENDS = { "escalation.approved": "approved", "escalation.rejected": "rejected", "escalation.expired": "no answer in time", "escalation.withdrawn": "withdrawn" };

// A row that somebody else settled stays where it is, greyed, and says who it was.
function grey(row, event) {
  const by = event.actor_kind === "person" ? `Decided by ${event.actor_name}, ${ENDS[event.verb]}` : `Closed: ${ENDS[event.verb]}`;
  row.classList.add("gone");
  row.querySelector("[data-line]").textContent = by;
  row.querySelector(".due").textContent = "";
  if (row.hasAttribute("aria-current")) announce(`${by}: ${event.subject_name}`);
}

document.body.addEventListener("aos:event", ({ detail: event }) => {
  const row = event.verb in ENDS && document.querySelector(`[data-escalation="${CSS.escape(event.subject_id)}"]`);
  if (row) grey(row, event);
});

// The answer is fetched again too, unless a reason is being typed: then the server says on submit what happened.
document.addEventListener("aos:refresh", ({ target }) => {
  if (target.id !== "answer" || target.querySelector("textarea")?.value.trim()) return;
  htmx.ajax("GET", target.dataset.url, { source: target, target, select: "#answer > *", swap: "innerMorph" });
}, true);

// --- the answer -----------------------------------------------------------------------------------------------
// Opening the reasons puts the focus there; after a refusal into the first field that is wrong.
function ask(reject) {
  if (reject?.open) (reject.querySelector("[aria-invalid=true]") ?? reject.querySelector("select"))?.focus();
}

document.addEventListener("toggle", ({ target }) => target.matches?.(".os-reject") && ask(target), true);
ask(document.querySelector(".os-reject"));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.closest?.(".os-reject[open]")) return;
  const reject = event.target.closest(".os-reject");
  reject.open = false;
  reject.querySelector("summary").focus();
});

const bar = document.getElementById("new-ones");
if (bar) new MutationObserver(() => announce(bar.textContent.replace(".", "").trim())).observe(bar, { childList: true, characterData: true, subtree: true });

// After an answer the reader stands at the next question.
if (document.querySelector(".os-msgs")) detail()?.querySelector(".os-ask")?.focus({ preventScroll: true });
current()?.scrollIntoView({ block: "nearest" });
