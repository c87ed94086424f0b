// What several modules need: saying something aloud, loading a library once, reading a colour token.

const said = new Set();

// Puts a sentence into the page's one polite live region; what is said in the same moment stands beside it.
export function announce(text) {
  const region = document.getElementById("announce");
  if (!region || !text) return;
  region.textContent = "";
  if (!said.size) setTimeout(say, 60, region);
  said.add(text);
}

function say(region) {
  region.textContent = [...said].join(" ");
  said.clear();
}

const libraries = new Map();

// Loads a classic script of our own origin once; resolves when its globals exist.
export function library(source) {
  if (!libraries.has(source)) {
    libraries.set(source, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${source} did not load`));
      document.head.append(script);
    }));
  }
  return libraries.get(source);
}

// Calls `redraw` after the theme changed, until the element has left the page.
export function onTheme(element, redraw) {
  const watch = new MutationObserver(() => (element.isConnected ? redraw() : watch.disconnect()));
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}

const probe = document.createElement("i");

// Resolves a colour such as var(--os-c1) to what the current theme paints: rgb(...).
export function colour(name) {
  probe.hidden = true;
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = name;
  return getComputedStyle(probe).color;
}

// Follows an address only when it stays on this site.
export function go(address) {
  if (typeof address === "string" && address.startsWith("/") && !address.startsWith("//")) location.assign(address);
}
