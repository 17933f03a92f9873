// A lesson's records: choose a part of the recording, enlarge a snapshot.
"use strict";
{
  const video = document.querySelector("video");
  for (const part of document.querySelectorAll("[data-video]")) {
    part.addEventListener("click", () => {
      document.querySelector("[data-video][aria-current]")?.removeAttribute("aria-current");
      part.setAttribute("aria-current", "true");
      video.src = part.dataset.video;
      video.play();
    });
  }
  // The next part follows by itself.
  video?.addEventListener("ended", () => {
    document.querySelector("[data-video][aria-current]")
      ?.closest("li").nextElementSibling?.querySelector("[data-video]")?.click();
  });

  const large = document.getElementById("large");
  for (const link of document.querySelectorAll("[data-large]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      large.querySelector("img").src = link.href;
      large.showModal();
    });
  }
}
