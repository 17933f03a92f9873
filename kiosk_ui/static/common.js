// Clock, countdowns, and the way home when nobody touches the screen any more.
"use strict";
const box = document.body.dataset;
let ahead = Number(box.now) / 1000 - Date.now();  // the box's clock against this browser's
const now = () => Date.now() + ahead;
const setNow = (micros) => { ahead = Number(micros) / 1000 - Date.now(); };

const timeOfDay = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: box.zone,
});

function left(milliseconds) {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(total / 3600), minutes = Math.floor(total / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  const at = now();
  for (const clock of document.querySelectorAll("[data-clock]")) put(clock, timeOfDay.format(at));
  for (const one of document.querySelectorAll("[data-until]")) put(one, left(Number(one.dataset.until) / 1000 - at));
  for (const one of document.querySelectorAll("[data-wait]")) {
    one.waitEnds ??= performance.now() + Number(one.dataset.wait) * 1000;
    const rest = one.waitEnds - performance.now();
    put(one, left(rest + 999));
    if (rest <= 0) location.replace(location.pathname + location.search);
  }
}
tick();
setInterval(tick, 250);

if (box.idle) {
  let touched = performance.now();
  const touch = () => { touched = performance.now(); };
  for (const kind of ["pointerdown", "keydown", "scroll"]) addEventListener(kind, touch, {capture: true, passive: true});
  setInterval(() => {
    if ([...document.querySelectorAll("video")].some((video) => !video.paused)) touch();
    if (performance.now() - touched > Number(box.idle) * 1000) location.replace("/");
  }, 1000);
}

// A second tap must not send a form twice.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
// Coming back from the browser's memory, forms may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
