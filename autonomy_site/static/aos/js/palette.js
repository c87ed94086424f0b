// The command palette (Ctrl K): a native dialog whose results the server renders, as a fragment, at /search?q=.
import { bind } from "./keys.js";

const dialog = document.getElementById("palette");
const DELAY_MS = 120;
let timer = 0;
let asking = null;

const field = () => dialog.querySelector("input");
const list = () => dialog.querySelector("[role=listbox]");
const options = () => [...dialog.querySelectorAll("[role=option]")];

function mark(option) {
  options().forEach((each) => each.setAttribute("aria-selected", String(each === option)));
  if (!option) return field().removeAttribute("aria-activedescendant");
  field().setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function name(option, index) {
  option.id ||= `palette-option-${index}`;
  option.tabIndex = -1;
}

async function look() {
  asking?.abort();
  asking = new AbortController();
  const address = `${dialog.dataset.url}?q=${encodeURIComponent(field().value)}`;
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, signal: asking.signal });
    if (!answer.ok) throw new Error(`${answer.status}`);
    list().innerHTML = await answer.text();
    options().forEach(name);
    mark(options()[0]);
  } catch (wrong) {
    if (wrong.name !== "AbortError") list().innerHTML = "<p>The search did not answer. Try again.</p>";
  }
}

function move(step) {
  const all = options();
  const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (all.length) mark(all[(at + step + all.length) % all.length]);
}

function open() {
  if (!dialog || dialog.open) return false;
  dialog.showModal();
  field().select();
  look();
}

if (dialog) {
  bind("Control+k", "Search or jump to", "Everywhere", open);
  field().addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, DELAY_MS);
  });
  field().addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter") dialog.querySelector("[aria-selected=true]")?.click();
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open=palette]");
    if (!opener || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open();
  });
}
