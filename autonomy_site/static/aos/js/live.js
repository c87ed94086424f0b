// What happens now, on this page: one socket, resumed by position; while it is down, polling every five seconds.
// <body data-live-position="1284"> starts it. An element joins in with
//   data-live="escalation,step"     nouns (or whole verbs, "escalation.opened") it cares about
//   data-live-only="<id>"           only events whose subject or run is this one, or one that [data-live-also="<id> <id>"]
//                                   inside of it names
//   data-live-mode="morph"          re-fetches data-live-url (default: this page) and morphs itself in place
//   data-live-mode="count"          is a hidden "n new" bar; its [data-live-count] counts up and it appears
//   data-live-mode="event"          gets an aos:refresh event
//   data-live-every="2000"          at most one refresh in so many milliseconds (for regions that cost much)
// Every event is also dispatched on the body as aos:event, every change of the line as aos:connection.
import { announce } from "./page.js";

const POLL_MS = 5000;
const GRACE_MS = 3000;
const SETTLE_MS = 250;
const LONGEST_WAIT_MS = 30000;
const SESSION_ENDED = 4401;
const TOO_SLOW = 4408; // we read too slowly; what is missing is there, by position
let position = Number(document.body.dataset.livePosition ?? NaN);
let socket = null;
let failures = 0;
let downSince = null;
let state = "connecting";
let polling = 0;
const waiting = new Map();

// --- events --------------------------------------------------------------------------------------------------
function concerns(element, event) {
  const wanted = element.dataset.live.split(",").map((noun) => noun.trim());
  const noun = event.verb.split(".")[0];
  const only = element.dataset.liveOnly;
  if (!wanted.includes(noun) && !wanted.includes(event.verb)) return false;
  const also = element.querySelector("[data-live-also]")?.dataset.liveAlso.split(" ") ?? [];
  return !only || [only, ...also].some((id) => id === event.subject_id || id === event.run);
}

function count(element) {
  const figure = element.querySelector("[data-live-count]");
  figure.textContent = String(Number(figure.textContent || 0) + 1);
  if (element.hidden) setTimeout(() => announce(element.textContent.trim().replace(/\s+/g, " ")), SETTLE_MS);
  element.hidden = false;
}

function morph(element) {
  const address = element.dataset.liveUrl || location.pathname + location.search;
  const select = element.dataset.liveUrl ? element.dataset.liveSelect : `#${CSS.escape(element.id)} > *`;
  htmx.ajax("GET", address, { source: element, target: element, swap: "innerMorph", ...(select && { select }) });
}

function refresh(element) {
  waiting.delete(element);
  if (!element.isConnected || element.closest("[data-live-paused]")) return;
  if (element.dataset.liveMode === "event") element.dispatchEvent(new CustomEvent("aos:refresh"));
  else morph(element);
}

// Many events in a moment are one refresh.
function soon(element) {
  if (!waiting.has(element)) waiting.set(element, setTimeout(refresh, Number(element.dataset.liveEvery) || SETTLE_MS, element));
}

function take(event) {
  if (!(event.position > position)) return;
  position = event.position;
  document.body.dispatchEvent(new CustomEvent("aos:event", { detail: event, bubbles: true }));
  for (const element of document.querySelectorAll("[data-live]")) {
    if (!concerns(element, event)) continue;
    if (element.dataset.liveMode === "count") count(element);
    else soon(element);
  }
}

function takeAll(answer) {
  (answer.events ?? (answer.verb ? [answer] : [])).forEach(take);
  if (answer.position > position) position = answer.position;
}

// --- the state that people see -------------------------------------------------------------------------------
function words() {
  if (state === "live") return ["ok", "Live"];
  if (state === "polling") return ["idle", "Every 5 s"];
  if (state === "signed-out") return ["warn", "Signed out"];
  const at = downSince?.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  return state === "offline" ? ["warn", `Offline since ${at}`] : ["idle", "Connecting"];
}

function show(next) {
  if (next === state) return;
  const before = state;
  state = next;
  const [tone, text] = words();
  for (const tag of document.querySelectorAll("[data-connection]")) {
    tag.querySelector(".os-dot").className = `os-dot ${tone}`;
    tag.querySelector("[data-connection-word]").textContent = text;
    tag.classList.toggle("warn", tone === "warn");
    if (tag.dataset.connection === "when-lost") tag.hidden = tone !== "warn";
  }
  if (tone === "warn" || before === "offline") announce(text);
  document.body.dispatchEvent(new CustomEvent("aos:connection", { detail: { state }, bubbles: true }));
}

// --- the line ------------------------------------------------------------------------------------------------
async function poll() {
  try {
    const answer = await fetch(`/live/events?after=${position}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    takeAll(await answer.json());
    if (downSince) show("polling");
  } catch {
    lost();
  }
}

function lost() {
  downSince ??= new Date();
  show("offline");
}

function opened() {
  const missed = downSince !== null;
  failures = 0;
  downSince = null;
  clearInterval(polling);
  polling = 0;
  show("live");
  if (missed) document.querySelectorAll("[data-live]:not([data-live-mode=count])").forEach(soon);
}

function closed({ code }) {
  if (code === SESSION_ENDED) return show("signed-out");
  if (code === TOO_SLOW && failures === 0) {
    failures = 1;
    return connect();
  }
  failures += 1;
  downSince ??= new Date();
  if (!polling) {
    polling = setInterval(poll, POLL_MS);
    setTimeout(() => downSince && poll(), GRACE_MS);
  }
  const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(failures, 6));
  setTimeout(connect, wait * (0.7 + Math.random() * 0.6));
}

function connect() {
  if (document.hidden && failures > 3) return document.addEventListener("visibilitychange", connect, { once: true });
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/ws/live?after=${position}`);
  socket.onopen = opened;
  socket.onclose = closed;
  socket.onmessage = ({ data }) => takeAll(JSON.parse(data));
}

if (Number.isFinite(position)) connect();

// A pressed "n new" bar starts again from nothing; the pause button of a feed holds it still.
document.addEventListener("click", (event) => {
  const bar = event.target.closest("[data-live-mode=count]");
  if (bar) {
    bar.hidden = true;
    bar.querySelector("[data-live-count]").textContent = "0";
  }
  const pause = event.target.closest("[data-live-pause]");
  if (pause) hold(pause);
});

function hold(button) {
  const region = document.getElementById(button.dataset.livePause);
  const held = region.toggleAttribute("data-live-paused");
  button.setAttribute("aria-pressed", String(held));
  if (!held) region.querySelectorAll("[data-live]").forEach(soon);
  if (!held && region.matches("[data-live]")) soon(region);
}
