// The PIN pad.
"use strict";
{
  const pin = document.getElementById("pin");
  for (const key of document.querySelectorAll("[data-key]")) {
    key.addEventListener("click", () => {
      if (key.dataset.key === "erase") pin.value = pin.value.slice(0, -1);
      else if (pin.value.length < pin.maxLength) pin.value += key.dataset.key;
    });
  }
}
