// A lesson's records: enlarge a snapshot.
"use strict";
{
  const large = document.getElementById("large");
  for (const link of document.querySelectorAll("[data-large]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      large.querySelector("img").src = link.href;
      large.showModal();
    });
  }
}
