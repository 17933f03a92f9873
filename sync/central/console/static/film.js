// What the console has beside the player: the download with its progress, and asking for the rest.
"use strict";
{
  const player = document.getElementById("player");
  const words = JSON.parse(player.dataset.words);
  const rest = document.getElementById("rest");
  const download = document.getElementById("download");
  const ask = rest.querySelector("button"), link = download.querySelector("a");
  const bar = download.querySelector("progress"), sent = download.querySelector("span");
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

  player.addEventListener("told", ({detail: state}) => {
    rest.hidden = !state.rest;
    const says = state.asked ? `${state.rest} ${words.asked}` : state.rest;
    if (state.rest && rest.firstChild.textContent !== says) rest.firstChild.textContent = says;
    ask.hidden = state.asked;
    download.hidden = !state.download;
    if (!state.download) return;
    link.href = state.download.src;
    if (link.textContent !== state.download.says) link.textContent = state.download.says;
  });

  ask.addEventListener("click", async () => {
    ask.disabled = true;
    const answer = await fetch(ask.dataset.ask, {method: "POST", headers: {"X-Classbox": "console"}}).catch(() => null);
    ask.disabled = false;
    ask.hidden = Boolean(answer?.ok);
    rest.firstChild.textContent = answer?.ok ? words.asked : words.not_asked;
  });

  // The browser saves the file; how far it is, the centre knows.
  link.addEventListener("click", () => {
    const name = Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");
    link.href = `${link.href.split("?")[0]}?as=${name}`;
    bar.hidden = false;
    follow(name);
  });
  async function follow(name) {
    const answer = await fetch(player.dataset.downloads + name, {cache: "no-store"}).catch(() => null);
    if (answer?.ok) {
      const done = await answer.json();
      if (done.total) {
        bar.max = done.total;
        bar.value = done.sent;
        sent.textContent = `${megabytes(done.sent)} / ${megabytes(done.total)}${done.sent === done.total ? ` ✓ ${words.sent}` : ""}`;
        if (done.sent === done.total) return;
      }
    }
    setTimeout(() => follow(name), 500);
  }
}
