// A spot check: wait for the pictures, enlarge one.
"use strict";
{
  const waiting = document.querySelector("[data-poll]");
  const look = async () => {
    try {
      const answer = await fetch(waiting.dataset.poll);
      const {items, settled} = await answer.json();
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
