// Looks into one room: asks what there is to see while the page is visible, and shows a picture only
// while the centre says that it is of this moment. Nobody asks, so nobody looks: the view then ends.
"use strict";
const view = document.getElementById("view");
const frame = view.querySelector(".frame");
const status = view.querySelector(".status");
const button = view.querySelector("button");
const LEVELS = { live: "good", old: "care", coming: "none", asking: "none", ended: "none" };
const ASK_EVERY_MS = 600;
let shown = 0;
let again = false;

function say(stage, text) {
  view.dataset.stage = stage;
  status.className = `status ${LEVELS[stage] || "bad"}`;
  if (status.textContent !== text) status.textContent = text;
  frame.classList.toggle("not-live", stage !== "live");
}

async function show(number) {
  const next = new Image();
  next.alt = frame.querySelector("img").alt;
  next.src = view.dataset.picture.replace(/\/picture\/0/, `/picture/${number}`);
  try {
    await next.decode();
  } catch {
    return; // it is no longer the last one
  }
  shown = number;
  view.dataset.number = number;
  frame.querySelector("img").replaceWith(next);
}

async function ask() {
  const body = new URLSearchParams(again ? { again: "1" } : {});
  again = false;
  let told;
  try {
    const answer = await fetch(view.dataset.look, { method: "POST", body });
    if (!answer.ok) throw new Error(String(answer.status));
    told = await answer.json();
  } catch {
    document.body.classList.add("is-stale");
    frame.classList.add("not-live");
    return;
  }
  document.body.classList.remove("is-stale");
  button.hidden = !told.over;
  if (told.stage === "live" && told.number !== shown) await show(told.number);
  say(told.stage, told.text);
}

async function run() {
  for (;;) {
    if (document.hidden) frame.classList.add("not-live");
    else await ask();
    await new Promise((done) => setTimeout(done, ASK_EVERY_MS));
  }
}

button.addEventListener("click", () => {
  again = true;
  shown = 0;
  button.hidden = true;
});
run();
