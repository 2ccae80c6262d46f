// Replays each answer from the moments of its events, and lists the events and draws the tokens on demand. Texts are set
// as text only.
const capsule = JSON.parse(document.getElementById("tempera-capsule").textContent);
const runs = capsule.entries.length ? capsule.entries.flatMap(({ capsule }) => capsule?.runs ?? []) : capsule.runs;
const drawn = JSON.parse(document.getElementById("drawn").textContent);

for (const bar of document.querySelectorAll(".replay")) {
  const run = Number(bar.dataset.run);
  const steps = drawn[run].replay;
  const text = runs[run].text;
  const answer = bar.parentElement.querySelector(".answer");
  const final = answer.querySelector(".final");
  const played = answer.querySelector(".played");
  const [play, slider, clock] = bar.children;
  let timer = 0;

  const show = (step) => {
    const atEnd = step >= steps.length;
    slider.value = step;
    final.hidden = !atEnd;
    played.hidden = atEnd;
    played.textContent = step ? text.slice(0, steps[step - 1][1]) : "";
    const seconds = (step ? steps[step - 1][0] / 1000 : 0).toFixed(2);
    clock.textContent = `${seconds} s · event ${step} of ${steps.length}`;
    slider.setAttribute("aria-valuetext", clock.textContent);
  };
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "Replay";
  };
  const start = () => {
    let step = Number(slider.value) % steps.length;
    const began = performance.now() - (step ? steps[step - 1][0] : 0);
    play.textContent = "Pause";
    const tick = () => {
      const now = performance.now() - began;
      while (step < steps.length && steps[step][0] <= now) step += 1;
      show(step);
      if (step < steps.length) timer = setTimeout(tick, Math.min(steps[step][0] - now, 200));
      else stop();
    };
    tick();
  };

  bar.hidden = false;
  show(steps.length);
  play.addEventListener("click", () => (timer ? stop() : start()));
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
}

for (const events of document.querySelectorAll(".events")) {
  events.addEventListener("toggle", () => list(events), { once: true });
}

function list(events) {
  const table = document.createElement("table");
  let before = null;
  for (const event of runs[Number(events.dataset.run)].events ?? []) {
    const row = table.insertRow();
    const gap = before === null ? "" : `+${(event.at_ms - before).toFixed(1)}`;
    before = event.at_ms;
    for (const words of [`${event.at_ms.toFixed(1)} ms`, gap, event.data]) row.insertCell().textContent = words;
  }
  const scrolls = document.createElement("div");
  scrolls.className = "scroll";
  scrolls.tabIndex = 0;
  scrolls.append(table);
  events.append(scrolls);
}

for (const tokens of document.querySelectorAll(".probabilities")) {
  const show = () => {
    const [text, note] = tokens.querySelector(".live-view").children;
    new Lens({ text, note, data: {}, busy: false }).paint(drawn[Number(tokens.dataset.run)].tokens, 0);
  };
  tokens.addEventListener("toggle", show, { once: true });
}

for (const copy of document.querySelectorAll(".copy")) {
  copy.addEventListener("click", () => navigator.clipboard?.writeText(copy.nextElementSibling.textContent));
}
