// The one entry of every page: starts what all pages share and fetches what only this page needs.
import "./keys.js";
import "./live.js";
import "./counts.js";
import "./palette.js";
import "./settings.js";
import "./forms.js";

if (document.querySelector(".os-inbox")) import("./inbox.js");
if (document.querySelector("[data-chart]")) import("./charts.js");
if (document.querySelector("[data-diagram]")) import("./diagram.js");
if (document.querySelector("[data-designer]")) import("./designer.js");
if (document.querySelector("[data-device]")) import("./device.js");
// Where it was installed as an app, a notice stands in for the browser's own page while there is no connection.
if (matchMedia("(display-mode: standalone)").matches) navigator.serviceWorker?.register("/service-worker.js");
