// The numbers beside the navigation, as they are now: fetched when something happened that may change them.
const frame = document.querySelector("[data-counts]");

async function renew() {
  const answer = await fetch(frame.dataset.counts).catch(() => null);
  if (!answer?.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const place of document.querySelectorAll("[data-count]")) {
    const fresh = now.querySelector(`[data-count="${CSS.escape(place.dataset.count)}"]`);
    if (fresh && !place.isEqualNode(fresh)) place.replaceWith(fresh.cloneNode(true));
  }
}

frame?.addEventListener("aos:refresh", renew);
