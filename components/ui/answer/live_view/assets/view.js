// Draws the server's blocks of HTML for a run: its answer or its status. Follows the end of a growing answer, and
// announces its beginning and end.

import { copy, markOutdated, paint } from "./blocks.js";
import { Lane } from "./connection.js";
import { Lens } from "./lens.js";
import { Replay } from "./replay.js";

// The space below the followed end; a page's composer covers as much as its scroll padding says.
const margin = (scroller) => 24 + (parseFloat(getComputedStyle(scroller).scrollPaddingBottom) || 0);

// Called by Streamlit when the element is new and whenever its data have changed.
export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".live-view");
  if (!(root.view instanceof View)) {
    root.view?.leave(); // a view of an earlier release, in a page that stayed open
    root.view = new View(root);
  }
  root.view.show(data, setTriggerValue);
  // Also called for an outdated call.
  return () => root.isConnected || root.view.leave();
}

class View {
  constructor(root) {
    this.root = root;
    [this.text, this.note, this.spoken, this.toEnd] = ["text", "note", "spoken", "to-end"].map((part) =>
      root.querySelector(`.live-${part}`),
    );
    this.lane = new Lane(this);
    this.blocks = [];
    this.changed = 0; // the first block to be painted
    this.toEnd.onclick = () => this.scrollToEnd();
    root.onclick = copy;
    // Scroll events do not bubble, but the capture phase sees them.
    this.onScroll = () => this.noticeScrolling();
    document.addEventListener("scroll", this.onScroll, { capture: true, passive: true });
    // A field with the focus must not move while the user types.
    this.onInput = ({ target }) => root.contains(target) || this.setFollowing(false);
    document.addEventListener("input", this.onInput);
  }

  show(data, setTrigger) {
    this.setTrigger = setTrigger;
    const before = this.data ?? {};
    // The script may have drawn this before the newest announcement, whose run it does not know then.
    const { run, running, replay, turn } = data.token === before.token && data.turn < before.turn ? before : data;
    this.take({ ...data, run, running, replay, turn });
  }

  // The server may have moved the lane to the run already.
  take(data, isMoved = false) {
    const before = this.data ?? {};
    const differs = (...names) => names.some((name) => data[name] !== before[name]);
    Object.assign(this, { data, isMoved });
    if (differs("run", "part", "replay") && !isMoved) this.lane.renew();
    if (differs("run")) {
      this.apply([0, 0, ""]);
      this.say("");
      this.note.textContent = "";
      this.ended = null;
      this.following = data.part !== "status";
    }
    this.stale ||= differs("run", "part");
    if (this.stale || differs("replay")) this.replay = this.replay?.remove();
    if (data.replay) this.replay ??= new Replay(this);
    this.showState();
    const address = new URL(data.path, location.href.replace(/^http/, "ws")).href;
    this.lane.watch(address, data.token, differs("run", "part", "replay", "running", "length") && !isMoved);
  }

  leave() {
    this.lane.leave();
    this.lens?.remove();
    this.replay?.remove();
    document.removeEventListener("scroll", this.onScroll, { capture: true });
    document.removeEventListener("input", this.onInput);
  }

  // Blocks already on the page are not requested again, except the last one, which may have been open.
  request() {
    const { run, part, place, turn } = this.data;
    if (!run || this.replay?.complete) return { watch: null, part, place, turn };
    if (this.replay) {
      this.replay.events = [];
      return { replay: run, part, place, turn };
    }
    const complete = this.stale ? [] : this.blocks.slice(0, -1);
    const size = complete.reduce((sum, block) => sum + block.length, 0);
    return { watch: run, part, place, turn, count: complete.length, size };
  }

  unreachable() {
    this.setTrigger("unreachable", this.data.token);
  }

  receive([first, ...rest]) {
    if (first.turn) this.take({ ...this.data, ...first, running: !first.replay }, !first.replay);
    else if (first.events || first.problem) this.replay?.receive(first);
    else if (first.refused) this.setTrigger("ended", this.data.run); // the rerun page requests what it may see
    else if (typeof first !== "number") this.updateState(first);
    else if (!this.replay) {
      if (this.stale) this.apply([0, 0, ""]);
      this.stale = false;
      this.apply([first, ...rest]);
    }
  }

  updateState({ note, said, ended }) {
    this.note.textContent = note ?? this.note.textContent;
    if (this.busy && said) this.say(said);
    if (!ended) return;
    // The status is beside every streaming answer, so one announcement is enough.
    if (this.data.running && this.data.part === "status") this.setTrigger("ended", this.data.run);
    this.ended = true;
    this.showState();
    this.lens?.drawNumbers();
  }

  get busy() {
    return this.data.running && !this.ended;
  }

  say(words) {
    this.spoken.textContent = words && this.data.name ? `${this.data.name}: ${words}` : words;
  }

  showState() {
    this.root.dataset.part = this.data.part;
    // A run that the page has not drawn yet is newer.
    markOutdated(this.root, this.data.stale && !this.isMoved);
    this.text.setAttribute("aria-busy", String(Boolean(this.busy)));
    this.toEnd.hidden = !this.busy || this.following || this.data.part === "status";
  }

  // A frame: the index of the first changed block, the length that stays, its continuation, and later blocks in full.
  apply([start, length, rest, ...more]) {
    if (!start && !length) this.drawn = this.data.part; // until then, the blocks are those of the view before
    const block = (this.blocks[start] ?? "").slice(0, length) + rest;
    this.blocks.length = start;
    this.blocks.push(block);
    for (const html of more) this.blocks.push(html);
    this.changed = Math.min(this.changed, start);
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.frame = null;
    if (this.drawn === "tokens") {
      this.lens ??= new Lens(this);
      this.lens.paint(this.blocks, this.changed);
    } else {
      this.lens = this.lens?.remove();
      paint(this.text, this.blocks, this.changed);
    }
    this.changed = this.blocks.length;
    if (this.busy && this.following) this.scrollToEnd();
  }

  get scroller() {
    let element = this.root.parentElement;
    while (element && !/auto|scroll/.test(getComputedStyle(element).overflowY)) element = element.parentElement;
    return element ?? document.scrollingElement;
  }

  // The distance of the answer's end below the visible part.
  beyond(scroller) {
    return this.text.getBoundingClientRect().bottom + margin(scroller) - scroller.getBoundingClientRect().bottom;
  }

  scrollToEnd() {
    const { scroller } = this;
    scroller.scrollTop += Math.max(this.beyond(scroller), 0);
    this.remember(scroller);
    this.setFollowing(true);
  }

  remember({ scrollTop, scrollHeight }) {
    [this.top, this.height] = [scrollTop, scrollHeight];
  }

  noticeScrolling() {
    if (!this.busy) return;
    const { scroller } = this;
    // A page that became shorter scrolls by itself.
    const scrolledUp = scroller.scrollTop < this.top && scroller.scrollHeight >= this.height;
    this.remember(scroller);
    if (scrolledUp) this.setFollowing(false);
    else if (this.beyond(scroller) <= margin(scroller)) this.setFollowing(true);
  }

  setFollowing(following) {
    if (this.data.part === "status" || this.following === following) return;
    this.following = following;
    this.showState();
  }
}
