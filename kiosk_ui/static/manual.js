// Manual entry: the button says how many, the picture stays fresh.
"use strict";
{
  const button = document.querySelector("[data-count]");
  const count = () => {
    const chosen = document.querySelectorAll('[name="person"]:checked').length;
    button.textContent = chosen ? button.dataset.count.replace("#", chosen) : button.dataset.none;
    button.disabled = chosen === 0;
  };
  document.addEventListener("change", count);
  count();

  const picture = document.querySelector("[data-picture]");
  if (picture) setInterval(() => { picture.src = picture.dataset.picture + "?" + Date.now(); }, 500);
}
