// "Notify me on this device": asks the browser, then sends its subscription with the form like any other place.
const form = document.querySelector("[data-device]");
const trouble = form.querySelector("[data-device-trouble]");

function bytes(text) {
  const padded = text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "=");
  return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0));
}

async function subscription() {
  if ((await Notification.requestPermission()) !== "granted") {
    throw new Error("This browser does not allow notifications of Autonomy OS. Allow them in its settings for this site.");
  }
  await navigator.serviceWorker.register("/service-worker.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.device) });
}

async function add(event) {
  event.preventDefault();
  trouble.hidden = true;
  try {
    form.elements.address.value = JSON.stringify(await subscription());
    form.submit();
  } catch (error) {
    trouble.textContent = error.name === "AbortError" ? "The push service of this browser does not answer. Try again later." : error.message;
    trouble.hidden = false;
  }
}

if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  form.closest("[data-device-card]").hidden = false;
  form.addEventListener("submit", add);
}
