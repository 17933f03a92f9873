// Says so when the centre no longer answers: what is on the page may then be old.
"use strict";
for (const [event, stale] of [
  ["htmx:sendError", true],
  ["htmx:responseError", true],
  ["htmx:timeout", true],
  ["htmx:beforeOnLoad", false],
]) {
  document.addEventListener(event, () => document.body.classList.toggle("is-stale", stale));
}
