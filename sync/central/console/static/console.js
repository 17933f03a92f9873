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

// What was ticked stays ticked when a page renews itself.
let ticked = [];
document.addEventListener("htmx:beforeSwap", () => {
  ticked = [...document.querySelectorAll("#live input:checked")].map((box) => box.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of ticked) {
    const box = document.getElementById(id);
    if (box && !box.disabled) box.checked = true;
  }
});
