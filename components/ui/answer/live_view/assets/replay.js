// Replays an answer from its events and their times. Needs no server once the events are loaded.

const SPEEDS = [1, 2, 4];
const LONGEST_FRAME_MS = 250;

export class Replay {
  constructor(view) {
    this.view = view;
    this.events = []; // each: its time in ms, and its frame, if any
    this.shown = 0; // the number of events on the page
    this.at = 0;
    this.speed = 1;
    this.player = view.root.querySelector(".live-player");
    this.player.hidden = false;
    [this.play, this.step, this.pace, this.place, this.strip, this.words] =
      ["play", "step", "pace", "place", "strip", "words"].map((part) => this.player.querySelector(`.live-${part}`));
    this.play.onclick = () => (this.playing ? this.setPlaying(false) : this.start());
    this.step.onclick = () => this.stepOn();
    this.pace.onclick = () => this.setSpeed(SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length]);
    this.place.oninput = () => this.goTo(Number(this.place.value));
    this.setComplete(false);
    this.strip.onpointermove = (event) => this.describe((this.hovered = this.eventAt(event)));
    this.strip.onpointerleave = () => this.describe((this.hovered = null) ?? this.shown - 1);
    this.strip.onclick = (event) => this.complete && this.goTo(this.events[this.eventAt(event)][0]);
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.strip);
    this.setSpeed(1);
  }

  remove() {
    this.setPlaying(false);
    this.resized.disconnect();
    this.player.hidden = true;
    this.view.stale = true;
  }

  receive({ events, count, problem }) {
    if (problem) {
      this.words.textContent = problem;
      return;
    }
    for (const event of events) this.events.push(event);
    if (this.events.length < count) return;
    this.setComplete(true);
    this.place.max = this.end;
    this.draw();
    this.start();
  }

  setComplete(complete) {
    this.complete = complete;
    for (const control of [this.play, this.step, this.pace, this.place]) control.disabled = !complete;
  }

  get end() {
    return this.events.at(-1)?.[0] ?? 0;
  }

  start() {
    if (this.at >= this.end) this.goTo(0);
    this.setPlaying(true);
    let before = performance.now();
    const tick = (now) => {
      // A hidden page gets no frames, so the replay pauses.
      this.at = Math.min(this.at + Math.min(now - before, LONGEST_FRAME_MS) * this.speed, this.end);
      before = now;
      this.catchUp();
      if (this.at >= this.end) this.setPlaying(false);
      else this.ticking = requestAnimationFrame(tick);
    };
    this.ticking = requestAnimationFrame(tick);
  }

  setSpeed(speed) {
    this.speed = speed;
    this.pace.textContent = `${speed}×`;
    this.pace.setAttribute("aria-label", `Speed ${speed}×`);
  }

  goTo(at) {
    this.at = at;
    this.catchUp();
  }

  // Skip to the next event that changes the text.
  stepOn() {
    this.setPlaying(false);
    const next = this.events.findIndex((event, number) => number >= this.shown && event.length > 1);
    if (next >= 0) this.goTo(this.events[next][0]);
  }

  catchUp() {
    let count = this.shown;
    if (count && this.events[count - 1][0] > this.at) count = 0;
    if (!count) this.view.apply([0, 0, ""]);
    for (; count < this.events.length && this.events[count][0] <= this.at; count += 1) {
      const [, ...frame] = this.events[count];
      if (frame.length) this.view.apply(frame);
    }
    this.shown = count;
    this.place.value = this.at;
    this.describe(this.hovered ?? count - 1);
  }

  setPlaying(playing) {
    cancelAnimationFrame(this.ticking);
    this.playing = playing;
    this.play.dataset.playing = String(playing);
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    // Announced when it stops, not sixty times a second.
    this.place.setAttribute("aria-valuetext", this.words.textContent);
  }

  gap(number) {
    return number > 0 ? this.events[number][0] - this.events[number - 1][0] : 0;
  }

  describe(number) {
    const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
    const event = this.events[number];
    this.words.textContent = event
      ? `event ${number + 1} of ${this.events.length} · ${seconds(event[0])} · gap ${this.gap(number).toFixed(1)} ms`
      : `${this.events.length} events · ${seconds(this.end)}`;
    if (!this.playing) this.place.setAttribute("aria-valuetext", this.words.textContent);
  }

  // The last event before the time under the pointer.
  eventAt({ offsetX }) {
    const at = (offsetX / this.strip.clientWidth) * this.end;
    return Math.max(this.events.findLastIndex((event) => event[0] <= at), 0);
  }

  // The gap before each event over its time: an even stream makes an even strip. One long gap must not make all
  // others invisible.
  draw() {
    const [width, height] = [this.strip.clientWidth, this.strip.clientHeight].map((size) => size * devicePixelRatio);
    if (!width || !this.end) return;
    Object.assign(this.strip, { width, height });
    const context = this.strip.getContext("2d");
    context.fillStyle = getComputedStyle(this.strip).color;
    const longest = this.events.reduce((max, _, number) => Math.max(max, this.gap(number)), 0);
    this.events.forEach((event, number) => {
      const bar = Math.max(Math.sqrt(this.gap(number) / longest) * height, devicePixelRatio);
      context.fillRect(Math.min((event[0] / this.end) * width, width - 1), height - bar, devicePixelRatio, bar);
    });
  }
}
