// The main screen: live regions, and the picture of the door.
"use strict";
{
  const SILENCE = 12000;  // the box speaks at least every 5 s; longer silence means a dead stream
  const shown = {};
  let stream, heard = performance.now();

  function show(message) {
    const state = JSON.parse(message.data);
    if (state.stamp !== box.stamp) { location.reload(); return; }  // the box was updated
    box.layout = state.layout;
    box.guide = state.guide;
    // Each showing of a card leads to the PIN once, also after coming back from there.
    if (state.card && sessionStorage.card !== String(state.card)) {
      sessionStorage.card = state.card;
      location.assign(`${box.pin}?card=${state.card}`);
      return;
    }
    for (const [name, html] of Object.entries(state.regions)) {
      if (shown[name] === html) continue;
      shown[name] = html;
      document.getElementById(name).innerHTML = html;
    }
    tick();
  }

  function connect() {
    stream?.close();
    heard = performance.now();
    stream = new EventSource(box.stream);
    stream.onmessage = (message) => { heard = performance.now(); show(message); };
    stream.addEventListener("beat", (message) => { heard = performance.now(); setNow(message.data); });
  }
  connect();
  // EventSource tries again by itself after most failures, but not after all of them.
  setInterval(() => {
    const gone = stream.readyState === EventSource.CLOSED;
    if (gone || performance.now() - heard > SILENCE) connect();
  }, 2000);
  addEventListener("pagehide", () => stream.close());

  const picture = document.getElementById("door-picture");
  const EVERY = 160, LATER = 1000;
  let address = "";
  async function refresh() {
    let wait = EVERY;
    try {
      if (box.layout !== "door") throw new Error("not shown");
      const answer = await fetch(box.picture, {signal: AbortSignal.timeout(3000)});
      if (answer.status !== 200) throw new Error("no picture");
      const next = URL.createObjectURL(await answer.blob());
      picture.src = next;
      await picture.decode();
      picture.hidden = false;
      URL.revokeObjectURL(address);
      address = next;
    } catch {
      picture.hidden = true;
      wait = LATER;
    }
    setTimeout(refresh, wait);
  }
  refresh();
}
