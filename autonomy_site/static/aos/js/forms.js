// Forms: a press counts once, the pressed button shows the progress, and the result is said aloud.
import { announce } from "./page.js";

const sent = new WeakSet();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (sent.has(form)) return event.preventDefault();
  sent.add(form);
  event.submitter?.setAttribute("aria-busy", "true");
});

function ready(form) {
  sent.delete(form);
  for (const button of form.querySelectorAll("[aria-busy=true]")) button.removeAttribute("aria-busy");
}

// Back brings a page out of the browser's memory with its buttons still busy.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form").forEach(ready);
});
document.addEventListener("htmx:finally:request", (event) => {
  const form = event.target.closest?.("form");
  if (form) ready(form);
});

// Selects inside a filter form act at once; without script the form's own button does it.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-auto] select")) event.target.form.requestSubmit();
});

announce([...document.querySelectorAll(".os-msg")].map((message) => message.textContent.trim()).join(" "));
document.querySelector(".os-summary")?.focus();
