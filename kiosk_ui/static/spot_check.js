// A spot check: wait for the pictures, enlarge one.
"use strict";
{
  const waiting = document.querySelector("[data-poll]");
  // A phone in another network shows an error of its own and cannot say so here.
  const UNOPENED_MS = 20000;
  const began = Date.now();
  const tell = (opened) => {
    const [unopened, open] = ["unopened", "opened"].map((one) => waiting.querySelector(`[data-${one}]`));
    if (!open) return;
    open.hidden = !opened;
    unopened.hidden = opened || Date.now() - began < UNOPENED_MS;
  };
  const look = async () => {
    try {
      const answer = await fetch(waiting.dataset.poll);
      const {items, settled, opened} = await answer.json();
      tell(Boolean(opened));
      if (items || settled) return location.replace(waiting.dataset.then || location.href);
    } catch {
      // The kiosk starts again by itself; the next question will be answered.
    }
    setTimeout(look, 1000);
  };
  if (waiting) look();

  const large = document.getElementById("large");
  for (const link of document.querySelectorAll("[data-large]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      large.querySelector("img").src = link.href;
      large.showModal();
    });
  }
}
