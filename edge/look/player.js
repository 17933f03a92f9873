// Plays a lesson's film: seeking on a line of time with gaps and marks, in wall time, while it grows.
// The server tells the state (edge/look/screening.py) and the words; nothing is known here but time.
"use strict";
{
  const root = document.getElementById("player");
  const words = JSON.parse(root.dataset.words);
  const RATES = [0.5, 1, 2, 4];
  const SKIP_AFTER_MS = 2000;
  const NEAR_PX = 14;

  const clock = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: root.dataset.zone,
  });
  const time = (at) => clock.format(at);

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name in element && typeof value !== "string") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }
  // Drawn here: the box has no font with such signs.
  const SIGNS = {
    play: "M7 4v16l13-8z", pause: "M6 4h4v16H6zM14 4h4v16h-4z",
    sound: "M4 9v6h4l6 5V4L8 9zM17 8q3 4 0 8l1.5 1.5q5-5.500 0-11z",
    mute: "M4 9v6h4l6 5V4L8 9zM16 9l6 6-1.500 1.500-6-6zM20.500 7.500 22 9l-6 7-1.500-1z",
    full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  };
  function sign(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", SIGNS[name]);
    svg.append(path);
    return svg;
  }
  function label(control, name, text) {
    if (control.title === text) return;
    control.replaceChildren(sign(name));
    control.title = text;
    control.setAttribute("aria-label", text);
  }
  const button = (name, text, act, attributes = {}) => {
    const made = make("button", {type: "button", class: name, ...attributes}, text);
    made.addEventListener("click", act);
    return made;
  };

  // What is on the page.
  const video = make("video", {playsinline: "", preload: "auto", disablepictureinpicture: ""});
  const told = make("p", {class: "told", role: "status"});
  const card = make("figure", {class: "picture", hidden: true});
  const stage = make("div", {class: "stage"}, video, told, card);
  const bars = make("div", {class: "bars"});
  const dots = make("div", {class: "dots"});
  const ticks = make("div", {class: "ticks num"});
  const head = make("i", {class: "head"});
  const line = make("div", {class: "timeline", role: "slider", tabindex: "0", "aria-label": words.timeline},
    bars, dots, ticks, make("div", {class: "way"}, head));
  const play = button("play", "", () => (playing() ? rest() : go()));
  const shownTime = make("b"), shownDay = make("small");
  const wall = make("p", {class: "wall num"}, shownTime, shownDay);
  const rates = RATES.map((rate) => button("rate num", `${rate}×`, () => setRate(rate), {"aria-pressed": String(rate === 1)}));
  const sound = button("sound", "", () => { video.muted = !video.muted; showSound(); });
  const full = button("full", "", () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()));
  label(full, "full", words.full);
  const controls = make("div", {class: "controls"},
    play,
    button("step", "−10", () => seek(cursor - 10_000), {"aria-label": words.back, title: words.back}),
    button("step", "+10", () => seek(cursor + 10_000), {"aria-label": words.forward, title: words.forward}),
    wall,
    make("div", {class: "rates", role: "group", "aria-label": words.speed}, ...rates),
    sound, full);
  const list = make("ol", {class: "happened scroller", "aria-label": words.happened, tabindex: "0"});
  root.prepend(stage, line, controls, list);

  let state = null;       // what the server said last
  let film = null;        // the film that the video shows
  let cursor = 0;         // the wall time that is shown, in ms
  let rate = 1;
  let wanted = false;     // whether it is to play, also while it waits for more
  let arriving = false;   // a film is being loaded, to be shown at the cursor
  let inGap = 0;          // since when it has been playing what is not there
  let waitsSince = 0;     // since when it has been at the end of what there was
  let broken = 0;         // how often loading failed in a row
  let drawn = "";
  let current = null;     // the item of the list that was passed last
  let listTouched = -Infinity;

  const playing = () => wanted;
  const stretchAt = (at) => state.stretches.find((one) => one.begins <= at && at < one.ends);
  const videoAfter = (at) => state.stretches.find((one) => one.sort === "video" && one.ends > at + 50);
  // Going on for a second or two at a time would be no pleasure: some more is gathered first.
  const enough = () => {
    const more = state.film ? state.film.ends - film.ends : 0;
    return more > 8000 || (more > 300 && (!state.growing || performance.now() - waitsSince > 10_000));
  };
  const inFilm = (at) => film && film.begins <= at && at < film.ends;

  function showSound() {
    label(sound, video.muted ? "mute" : "sound", video.muted ? words.sound_on : words.sound_off);
  }

  function setRate(chosen) {
    rate = chosen;
    video.defaultPlaybackRate = video.playbackRate = rate;
    rates.forEach((one, number) => one.setAttribute("aria-pressed", String(RATES[number] === rate)));
  }

  function load(at) {
    film = state.film;
    cursor = at;
    arriving = true;
    video.src = film.src;
  }
  video.addEventListener("loadedmetadata", () => {
    video.playbackRate = rate;
    video.currentTime = Math.max(0, (cursor - film.begins) / 1000);
    if (wanted) video.play().catch(() => {});
  });
  video.addEventListener("seeked", () => { arriving = false; broken = 0; });
  video.addEventListener("error", () => {
    // Something in it was deleted or came: there is another film now. Or the way to it is broken.
    arriving = true;
    const again = broken++ ? 3000 : 0;
    setTimeout(async () => { await ask(); if (state.film) load(cursor); show(); }, again);
  });
  video.addEventListener("ended", () => {
    cursor = film.ends;
    waitsSince = performance.now();
    if (enough()) load(cursor);
    else if (!state.growing) wanted = false;
    show();
  });

  function seek(to) {
    cursor = Math.min(Math.max(to, state.begins), state.ends);
    inGap = 0;
    card.hidden = true;
    if (state.film && !inFilm(cursor) && cursor < state.film.ends && cursor >= state.film.begins) load(cursor);
    else if (inFilm(cursor) && video.readyState) {
      arriving = true;
      video.currentTime = (cursor - film.begins) / 1000;
      if (wanted) video.play().catch(() => {});
    } else if (!inFilm(cursor)) video.pause();
    show();
  }

  function go() {
    wanted = true;
    card.hidden = true;
    if (!state.film) return show();
    if (!inFilm(cursor)) {
      const next = videoAfter(cursor);
      if (next) seek(next.begins);
      else if (!state.growing) seek(state.film.begins);
    } else if (film !== null) video.play().catch(() => {});
    show();
  }
  function rest() { wanted = false; video.pause(); show(); }

  const place = (at) => 100 * (at - state.begins) / (state.ends - state.begins);

  function show() {
    if (!state) return;
    const here = stretchAt(cursor);
    head.style.left = `${place(cursor)}%`;
    shownTime.textContent = time(cursor);
    shownDay.textContent = here?.exact || (root.dataset.day ?? "");
    const waits = wanted && state.growing && film && cursor >= film.ends - 50;
    let says = here && here.sort !== "video" ? here.says : "";
    if (!state.film) says = words.none;
    else if (broken > 1) says = words.trouble;
    else if (waits) says = words.waiting;
    if (told.textContent !== says) told.textContent = says;
    stage.classList.toggle("empty", Boolean(says) && !waits);
    label(play, wanted ? "pause" : "play", wanted ? words.pause : words.play);
    line.setAttribute("aria-valuemin", "0");
    line.setAttribute("aria-valuemax", String(Math.round((state.ends - state.begins) / 1000)));
    line.setAttribute("aria-valuenow", String(Math.round((cursor - state.begins) / 1000)));
    line.setAttribute("aria-valuetext", says ? `${time(cursor)}, ${says}` : time(cursor));
    const passed = [...list.children].filter((item) => Number(item.dataset.at) <= cursor + 50);
    if (passed.at(-1) !== current) {
      current?.firstChild.removeAttribute("aria-current");
      current = passed.at(-1);
      current?.firstChild.setAttribute("aria-current", "true");
      if (current && performance.now() - listTouched > 8000) list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 3;
    }
  }
  for (const kind of ["pointerdown", "wheel", "keydown"]) {
    list.addEventListener(kind, () => { listTouched = performance.now(); }, {passive: true});
  }

  setInterval(() => {
    if (!state || !film || arriving || video.ended || !inFilm(cursor)) return;
    cursor = Math.min(film.begins + video.currentTime * 1000, film.ends);
    const here = stretchAt(cursor);
    if (wanted && here && here.sort !== "video") {
      inGap ||= performance.now();
      const next = videoAfter(cursor);
      if (next && performance.now() - inGap > SKIP_AFTER_MS && inFilm(next.begins)) seek(next.begins + 20);
    } else inGap = 0;
    show();
  }, 100);

  // The line of time.
  const at = (event) => {
    const box = bars.getBoundingClientRect();
    return state.begins + (event.clientX - box.left) / box.width * (state.ends - state.begins);
  };
  line.addEventListener("pointerdown", (event) => {
    line.setPointerCapture(event.pointerId);
    const reach = NEAR_PX / bars.clientWidth * (state.ends - state.begins);
    const near = state.marks
      .filter((mark) => Math.abs(mark.at - at(event)) < reach)
      .sort((one, other) => Math.abs(one.at - at(event)) - Math.abs(other.at - at(event)))[0];
    if (near) look(near);
    else seek(at(event));
  });
  line.addEventListener("pointermove", (event) => {
    if (line.hasPointerCapture(event.pointerId) && event.buttons && Math.abs(event.movementX) > 0) seek(at(event));
  });
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const steps = {ArrowLeft: -5, ArrowRight: 5, PageDown: -60, PageUp: 60};
    if (event.target === line && event.key in steps) seek(cursor + steps[event.key] * 1000);
    else if (event.target === line && event.key === "Home") seek(state.begins);
    else if (event.target === line && event.key === "End") seek(state.ends);
    else if (event.key === " " && !event.target.closest("button, a, input, summary")) { if (wanted) rest(); else go(); }
    else return;
    event.preventDefault();
  });

  function look(mark) {
    seek(mark.at);
    card.hidden = !mark.picture;
    if (!mark.picture) return;
    card.replaceChildren(
      make("img", {src: mark.picture, alt: mark.title}),
      make("figcaption", {}, make("b", {class: "num"}, time(mark.at)), ` ${mark.title}`, mark.detail ? ` · ${mark.detail}` : ""),
      button("close", "×", () => { card.hidden = true; }, {"aria-label": words.close}));
  }

  function draw() {
    bars.replaceChildren(...state.hours.map(([begins, ends]) => bar("hour", begins, ends)),
      ...state.stretches.map((one) => bar(one.sort, one.begins, one.ends)));
    const shown = state.marks.filter((mark) => state.begins <= mark.at && mark.at <= state.ends);
    dots.replaceChildren(...shown.map((mark) => {
      const dot = make("i", {class: mark.sort});
      dot.style.left = `${place(mark.at)}%`;
      return dot;
    }));
    const step = [1, 2, 5, 10, 15, 30, 60, 120].map((minutes) => minutes * 60_000)
      .find((one) => (state.ends - state.begins) / one <= 7) ?? 240 * 60_000;
    const round = [];
    for (let tick = Math.ceil(state.begins / step) * step; tick <= state.ends; tick += step) round.push(tick);
    ticks.replaceChildren(...round.filter((tick) => place(tick) > 2 && place(tick) < 98).map((tick) => {
      const made = make("span", {}, time(tick).slice(0, 5));
      made.style.left = `${place(tick)}%`;
      return made;
    }));
    const missing = [];
    for (const one of state.stretches.filter((one) => ["gap", "elsewhere", "deleted"].includes(one.sort))) {
      const before = missing.at(-1);
      if (before?.says === one.says && before.ends === one.begins) before.ends = one.ends;
      else missing.push({...one});
    }
    const items = [
      ...state.marks.map((mark) => [mark.at, item(mark.sort, time(mark.at), mark.title, mark.detail, mark.small, () => look(mark))]),
      ...missing.map((one) => [one.begins, item(one.sort, `${time(one.begins)}–${time(one.ends)}`, one.says, one.exact, "", () => seek(one.begins + 10))]),
    ].sort(([one], [other]) => one - other);
    const kept = list.scrollTop;
    current = null;
    const focused = [...list.children].findIndex((one) => one.contains(document.activeElement));
    list.replaceChildren(...items.map(([when, made]) => { made.dataset.at = when; return made; }));
    list.scrollTop = kept;
    list.children[focused]?.firstChild.focus({preventScroll: true});
  }
  function bar(sort, begins, ends) {
    const made = make("i", {class: sort});
    made.style.left = `${place(begins)}%`;
    made.style.width = `${Math.max(0.15, place(ends) - place(begins))}%`;
    return made;
  }
  function item(sort, when, title, detail, picture, act) {
    return make("li", {}, button(`item ${sort}`, "", act));
    function button(name, text, act) {
      const made = make("button", {type: "button", class: name},
        picture ? make("img", {src: picture, alt: "", loading: "lazy"}) : make("i", {}),
        make("span", {}, make("b", {class: "num"}, when), ` ${title}`, detail ? make("small", {}, detail) : ""));
      made.addEventListener("click", act);
      return made;
    }
  }

  async function ask() {
    let answer;
    try {
      answer = await fetch(root.dataset.state, {cache: "no-store"});
    } catch {
      return;  // the next time
    }
    if (answer.status === 404) return location.reload();  // logged out, or there is no such lesson any more
    if (!answer.ok) return;
    const text = await answer.text();
    const first = state === null;
    state = JSON.parse(text);
    const shape = JSON.stringify([state.begins, state.ends, state.marks, state.hours,
      state.stretches.filter((one) => !["unstated", "ahead"].includes(one.sort))]);
    const asked = Number(location.hash.slice(1));
    if (first && state.film) load(asked >= state.film.begins && asked < state.film.ends ? asked : state.film.begins);
    else if (first) cursor = asked || state.begins;
    else if (state.film && !film) load(Math.max(cursor, state.film.begins));
    else if (wanted && video.ended && enough()) load(film.ends);
    if (shape !== drawn || state.growing) draw();
    drawn = shape;
    show();
    root.dispatchEvent(new CustomEvent("told", {detail: state}));
  }
  async function asking() {
    await ask();
    setTimeout(asking, state?.growing ? 3000 : 10_000);
  }

  // Another camera shows the same moment.
  for (const other of document.querySelectorAll("[data-camera]")) {
    other.addEventListener("click", () => { other.href = `${other.href.split("#")[0]}#${Math.round(cursor)}`; });
  }

  showSound();
  setRate(1);
  asking();
}
