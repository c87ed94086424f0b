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
