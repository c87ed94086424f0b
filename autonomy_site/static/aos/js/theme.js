// Runs before the first paint, so that a page never flashes the wrong theme: address, then cookie, then system.
(function () {
  var page = document.documentElement, asked = new URLSearchParams(location.search), dark = matchMedia("(prefers-color-scheme: dark)");
  function setting(name) {
    return asked.get(name) || (document.cookie.match("(?:^|; )aos-" + name + "=(\\w+)") || [])[1];
  }
  function paint() {
    var theme = setting("theme"), fixed = theme === "dark" || theme === "light";
    page.dataset.theme = fixed ? theme : dark.matches ? "dark" : "light";
    page.dataset.density = setting("density") === "compact" ? "compact" : "comfortable";
  }
  dark.addEventListener("change", paint);
  addEventListener("aos:settings", paint);
  paint();
})();
