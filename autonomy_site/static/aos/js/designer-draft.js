// The draft on the server: kept by itself a moment after each change, bound to the revision that was read, so that two people
// who draw at once lose nothing; the problems that the server finds; and the guard that asks before unsaved work is left.
import { called } from "./cards.js";
import { announce } from "./page.js";

const WAIT_MS = 700;

export function draft(modeler, page, onProblems) {
  const { save: saveAt, check: checkAt, token } = page.dataset;
  let revision = page.dataset.revision, timer = 0, isDirty = false, isSaving = false, settings = 0, stale = null;
  const word = page.querySelector("[data-saved]");

  const say = (text, tone = "") => { word.textContent = text; word.className = `xs ${tone || "t3"}`; };
  const xml = async () => (await modeler.saveXML({ format: true })).xml;

  async function post(address, data) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ csrfmiddlewaretoken: token, ...data })) body.set(name, value);
    return fetch(address, { method: "POST", body, credentials: "same-origin", headers: { Accept: "application/json" } });
  }

  async function keep() {
    if (!isDirty || isSaving || stale) return;
    isSaving = true;
    isDirty = false;
    say("Saving …");
    try {
      await told(await post(saveAt, { bpmn: await xml(), revision }));
    } catch {
      isDirty = true;
      say("Not saved: no connection. It is tried again.", "bad");
      soon(5000);
    } finally {
      isSaving = false;
    }
    calm();
    if (isDirty) soon();
  }

  // "Saved" is said of everything: not while a later change waits, nor a setting that the server still reads.
  function calm() {
    if (!isDirty && !isSaving && !settings && !stale) say("Saved");
  }

  async function told(answer) {
    const body = await answer.json().catch(() => ({}));
    if (answer.status === 409) return conflict(body);
    if (!answer.ok) {
      isDirty = true;
      return say(`Not saved. ${body.detail || "Your drawing stays here; sign in again in another window, then change something."}`, "bad");
    }
    page.dataset.revision = revision = body.revision;
    onProblems(body.problems || []);
  }

  // --- somebody else saved meanwhile --------------------------------------------------------------------------------
  const bar = page.querySelector("[data-conflict]");

  function conflict(theirs) {
    stale = theirs;
    isDirty = true;
    bar.hidden = false;
    say("Not saved", "bad");
    announce(bar.textContent.trim().replace(/\s+/g, " "));
  }

  function settled() {
    stale = null;
    bar.hidden = true;
  }

  const ANSWERS = {
    async theirs() {
      const { bpmn, revision: newer } = stale;
      settled();
      await modeler.importXML(bpmn);
      page.dataset.revision = revision = newer;
      isDirty = false;
      say("Saved");
      check();
    },
    mine() {
      revision = stale.revision;
      settled();
      isDirty = true;
      keep();
    },
    async file() {
      const link = Object.assign(document.createElement("a"), { download: "my-drawing.bpmn" });
      link.href = URL.createObjectURL(new Blob([await xml()], { type: "application/xml" }));
      link.click();
      URL.revokeObjectURL(link.href);
    },
  };
  bar?.addEventListener("click", (event) => ANSWERS[event.target.closest("[data-answer]")?.dataset.answer]?.());

  // --- problems, and the guard ----------------------------------------------------------------------------------------
  async function check() {
    if (!checkAt) return;
    const answer = await post(checkAt, { bpmn: await xml() });
    if (answer.ok) onProblems((await answer.json()).problems || []);
  }

  function soon(milliseconds = WAIT_MS) {
    clearTimeout(timer);
    timer = setTimeout(keep, milliseconds);
  }

  modeler.on("commandStack.changed", () => {
    isDirty = true;
    if (!stale) say("Not saved yet");
    soon();
  });
  modeler.on("aos.setting", ({ done }) => {
    settings += 1;
    if (!stale) say("Not saved yet");
    done.finally(() => {
      settings -= 1;
      calm();
    });
  });
  addEventListener("beforeunload", (event) => {
    if (isDirty || isSaving || settings) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && keep());
  check();
  return { keep, check };
}

// --- what is wrong, in words, with a way to each --------------------------------------------------------------------
export function problems(modeler, bar, open) {
  const list = bar.querySelector("[data-problem-list]"), count = bar.querySelector("[data-problem-count]");
  let before = "";

  function line({ element: id, name, reason, severity }) {
    const row = bar.querySelector("template").content.firstElementChild.cloneNode(true);
    const drawn = modeler.get("elementRegistry").get(id), words = drawn ? called(drawn) : name || id;
    row.className = severity === "warning" ? "warn" : "bad";
    row.querySelector("[data-text]").textContent = `${words}: ${reason}`;
    const link = row.querySelector("button");
    link.hidden = !drawn;
    link.setAttribute("aria-label", `Fix it: ${words}`);
    link.addEventListener("click", () => open(drawn, reason));
    return row;
  }

  function told(found) {
    const errors = found.filter((each) => each.severity !== "warning").length, warnings = found.length - errors;
    const some = (number, word) => (number ? `${number} ${word}${number > 1 ? "s" : ""}` : "");
    return [some(errors, "problem"), some(warnings, "warning")].filter(Boolean).join(", ") || "No problems";
  }

  return (found) => {
    const words = told(found), canvas = modeler.get("canvas");
    list.replaceChildren(...found.map(line));
    count.textContent = words;
    bar.dataset.tone = found.some((each) => each.severity !== "warning") ? "bad" : found.length ? "warn" : "ok";
    modeler.get("elementRegistry").forEach((each) => canvas.removeMarker(each, "has-problem"));
    for (const { element } of found) if (modeler.get("elementRegistry").get(element)) canvas.addMarker(element, "has-problem");
    if (words !== before) announce(words);
    before = words;
  };
}
