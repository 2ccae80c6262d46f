// Draws an answer as tokens, coloured by their probability, with the details of one of them, the entropy of all and the
// least certain ones. The server's blocks are rows of JSON (components/live/token_rows.py); text is never HTML.

const STEPS = [0.9, 0.7, 0.4, 0.15, 0.03]; // token-0 is at least the first of these, token-5 less than the last
const LEAST_CERTAIN = 8;
const STRIP_MS = 500;
const UNKNOWN = "n/a";

const share = (logprob) => (logprob == null ? null : Math.exp(logprob));

// Three digits, so that an unlikely token keeps its own: 41.2 %, 0.00312 %.
export function percent(part) {
  if (part == null) return UNKNOWN;
  if (part === 1) return "100 %";
  if (part >= 0.9995) return "> 99.9 %";
  return part < 1e-8 ? "< 0.000001 %" : `${Number((part * 100).toPrecision(3))} %`;
}

// A token in quotation marks, with signs for what cannot be seen.
export function quoted(text) {
  return `“${text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(/^ +| +$/g, (blanks) => "␣".repeat(blanks.length))}”`;
}

function inHex(text) {
  return [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

// A piece of the text with its tokens; several where they share a character.
class Piece {
  constructor([text, tokens]) {
    this.text = text;
    this.tokens = tokens.map(([own, logprob, rank, entropy, alternatives = [], hex, isRest]) => ({
      text: own === 0 ? text : own,
      logprob,
      rank,
      entropy,
      alternatives: alternatives.map(([name, value, bytes]) => ({ text: name, logprob: value, hex: bytes })),
      hex,
      isRest,
    }));
    const isKnown = this.tokens.every((token) => token.logprob != null && !token.isRest);
    // The tokens of one character are one step: their probabilities multiply.
    this.logprob = isKnown ? this.tokens.reduce((sum, token) => sum + token.logprob, 0) : null;
    const entropies = this.tokens.map((token) => token.entropy).filter((entropy) => entropy != null);
    this.entropy = entropies.length ? Math.max(...entropies) : null;
  }

  get step() {
    const part = share(this.logprob);
    if (part == null) return "unknown";
    return STEPS.filter((lowest) => part < lowest).length;
  }
}

export class Lens {
  constructor(view) {
    this.view = view;
    this.text = view.text;
    this.pieces = [];
    this.parts = []; // the element of each block
    this.begins = []; // the number of pieces before each block
    this.current = null;
    this.box = make("div", "live-lens");
    this.card = make("div", "lens-card");
    this.strip = make("canvas", "lens-strip");
    this.numbers = make("p", "lens-numbers");
    this.list = make("div", "lens-list");
    this.notes = make("div", "lens-notes");
    this.legend = this.makeLegend();
    this.box.append(this.card, this.strip, this.numbers, this.list, this.notes, this.legend);
    view.note.after(this.box);
    this.text.replaceChildren();
    this.text.tabIndex = 0;
    this.text.setAttribute("role", "group");
    this.text.setAttribute(
      "aria-label",
      "Answer, token by token. Arrow keys go through the tokens, N and P through the least certain ones.",
    );
    this.stop = new AbortController();
    const { signal } = this.stop;
    const at = (event) => event.target.closest?.(".token")?.piece;
    this.text.addEventListener("pointerover", (event) => this.pinned || this.choose(at(event)), { signal });
    this.text.addEventListener("click", (event) => this.choose(at(event), true), { signal });
    this.text.addEventListener("keydown", (event) => this.step(event), { signal });
    this.strip.addEventListener("click", (event) => this.chooseAt(event), { signal });
    this.resized = new ResizeObserver(() => this.drawStrip());
    this.resized.observe(this.strip);
  }

  remove() {
    this.stop.abort();
    this.resized.disconnect();
    clearTimeout(this.later);
    this.box.remove();
    this.text.replaceChildren();
    for (const name of ["tabindex", "role", "aria-label"]) this.text.removeAttribute(name);
  }

  // Blocks before the first one are unchanged.
  paint(blocks, first) {
    if (!first && this.parts.length > 1) this.dropFrom(0);
    for (let number = Math.min(first, this.parts.length); number < blocks.length; number += 1) {
      this.parts[number] ??= this.nextPart();
      this.paintBlock(this.parts[number], blocks[number], number);
    }
    this.dropFrom(blocks.length);
    if (this.begins.length > blocks.length) {
      this.cut(this.begins[blocks.length]);
      this.begins.length = blocks.length;
    }
    if (this.current != null && this.current >= this.pieces.length) this.choose(null);
    // While tokens arrive, the strip is drawn twice a second: all its bars change their width.
    if (this.view.busy) this.later ??= setTimeout(() => this.drawStrip(), STRIP_MS);
    else this.drawStrip();
    this.drawNumbers();
  }

  // Lines that have ended are elements of their own: a browser lays out the whole line anew for each token.
  nextPart() {
    const part = document.createElement("div");
    if (!this.text.lastChild || this.text.lastChild.textContent.endsWith("\n")) this.text.append(make("div", "token-line"));
    this.text.lastChild.append(part);
    return part;
  }

  dropFrom(count) {
    for (const part of this.parts.splice(count)) {
      const line = part.parentElement;
      part.remove();
      if (!line.firstChild) line.remove();
    }
  }

  cut(count) {
    this.pieces.length = Math.min(count, this.pieces.length);
  }

  // Rows that a block keeps are not touched: a growing answer appends one element a token.
  paintBlock(element, block, number) {
    const rows = block ? block.split("\n") : [];
    const before = element.rows ?? [];
    let unchanged = 0;
    while (unchanged < rows.length && rows[unchanged] === before[unchanged]) unchanged += 1;
    if (!element.rows) element.replaceChildren();
    while (element.childNodes.length > unchanged) element.lastChild.remove();
    this.begins[number] = number ? this.begins[number - 1] + this.parts[number - 1].count : 0;
    this.cut(this.begins[number] + rows.slice(0, unchanged).filter((row) => row[0] === "[").length);
    const added = document.createDocumentFragment();
    for (const row of rows.slice(unchanged)) added.append(this.node(JSON.parse(row)));
    element.append(added);
    element.rows = rows;
    element.count = this.pieces.length - this.begins[number];
    this.notes.replaceChildren(
      ...rows.filter((row) => row[0] === "{").map((row) => make("p", "lens-note", JSON.parse(row).note)),
    );
  }

  node(row) {
    if (typeof row === "string") return document.createTextNode(row);
    if (!Array.isArray(row)) return document.createTextNode("");
    const piece = new Piece(row);
    const element = make("span", `token token-${piece.step}`, piece.text);
    element.piece = this.pieces.length;
    this.pieces.push(piece);
    piece.element = element;
    return element;
  }

  choose(number, pin = false) {
    if (number === undefined) return;
    this.pinned = pin && number !== null;
    if (number === this.current) return;
    this.pieces[this.current]?.element.classList.remove("token-current");
    this.current = number;
    this.pieces[number]?.element.classList.add("token-current");
    this.drawCard();
    this.drawStrip();
  }

  // Choose a token by keyboard or list: it must be seen, and read aloud.
  goTo(number) {
    this.card.setAttribute("aria-live", "polite");
    this.choose(number, true);
    this.pieces[number]?.element.scrollIntoView({ block: "nearest" });
  }

  step(event) {
    const last = this.pieces.length - 1;
    const current = this.current ?? -1;
    const least = this.leastCertain().map(({ number }) => number).sort((a, b) => a - b);
    const keys = {
      ArrowRight: () => Math.min(current + 1, last),
      ArrowLeft: () => Math.max(current - 1, 0),
      Home: () => 0,
      End: () => last,
      n: () => least.find((number) => number > current) ?? least[0],
      p: () => least.findLast((number) => number < current) ?? least.at(-1),
      Escape: () => null,
    };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!keys[key] || last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.goTo(keys[key]());
  }

  leastCertain() {
    return this.pieces
      .map((piece, number) => ({ number, logprob: piece.logprob }))
      .filter(({ logprob }) => logprob != null)
      .sort((a, b) => a.logprob - b.logprob)
      .slice(0, LEAST_CERTAIN);
  }

  drawCard() {
    const piece = this.pieces[this.current];
    this.card.dataset.branches = this.view.data.branch != null && !this.view.busy; // only these rows have a button
    const parts = piece ? piece.tokens.flatMap((token, part) => this.detailsOf(piece, token, part)) : [];
    this.card.replaceChildren(...parts);
  }

  detailsOf(piece, token, part) {
    const { tokens } = piece;
    const count = token.alternatives.length;
    const isBelow = count && token.logprob != null && !token.isRest;
    const rank = token.rank ?? (isBelow ? `below the ${count} returned` : UNKNOWN);
    const entropy = token.entropy == null ? UNKNOWN : `≥ ${token.entropy.toFixed(2)} bits`;
    const facts = [`rank ${rank}`, `logprob ${token.logprob ?? UNKNOWN}`, `entropy ${entropy}`, `bytes ${token.hex ?? inHex(token.text)}`];
    const partWords = tokens.length > 1 ? `, part ${part + 1} of ${tokens.length} of a character` : "";
    const head = make("p", "lens-head");
    head.append(
      make("strong", "", quoted(token.text)),
      make("span", "", ` token ${this.current + 1}${partWords} · `),
      make("strong", "", percent(share(token.logprob))),
      make("span", "", ` · ${facts.join(" · ")}`),
    );
    let note = count ? "" : "No alternatives were returned: set top_logprobs above 0.";
    if (token.logprob == null) note = "The endpoint gives no probability for this token, or says only that it is very unlikely.";
    if (token.isRest) note = "The endpoint gives the probability of the last part of this character only, so it has no colour.";
    const rows = token.alternatives.map((other, at) => this.alternativeRow(token, other, at, tokens.length === 1));
    return [head, ...(note ? [make("p", "lens-note", note)] : []), ...rows];
  }

  alternativeRow(token, other, number, alone) {
    const row = make("div", "lens-alternative");
    const own = other.text === token.text && (other.hex ?? "") === (token.hex ?? "");
    row.dataset.own = own;
    const bar = make("span", "lens-bar");
    const fill = make("span", "");
    fill.style.width = `${Math.max((share(other.logprob) ?? 0) * 100, 0.5)}%`;
    bar.append(fill);
    const name = make("span", "lens-name", other.hex ? `bytes ${other.hex}` : quoted(other.text));
    row.append(name, bar, make("span", "lens-share", percent(share(other.logprob))));
    const { branch, run } = this.view.data;
    if (branch != null && !own && !this.view.busy) {
      const button = make("button", "lens-branch", "Continue here");
      button.type = "button";
      const isWhole = alone && !other.hex && !token.isRest;
      const problem = branch || (isWhole ? "" : "This is a part of a character, which cannot be sent.");
      button.disabled = Boolean(problem);
      button.title = problem || `Starts a run that begins with the text so far and ${quoted(other.text)}.`;
      button.onclick = () => this.view.setTrigger("branch", { run, token: this.current, alternative: number });
      row.append(button);
    }
    return row;
  }

  drawNumbers() {
    this.box.hidden = !this.pieces.length && !this.notes.childElementCount;
    this.strip.hidden = this.legend.hidden = !this.pieces.length;
    // The list moves only when there is nothing to come: it would change under the pointer.
    if (this.view.busy) return;
    const known = this.pieces.filter(({ logprob }) => logprob != null);
    if (!known.length) {
      this.numbers.textContent = "";
      this.list.replaceChildren();
      return;
    }
    const mean = known.reduce((sum, { logprob }) => sum + logprob, 0) / known.length;
    const count = known.length.toLocaleString("en");
    const perplexity = Math.exp(-mean).toPrecision(3);
    this.numbers.textContent = `Entropy of each token · ${count} tokens · perplexity ${perplexity}`;
    this.list.replaceChildren(
      make("span", "", "Least certain: "),
      ...this.leastCertain().map(({ number, logprob }) => {
        const button = make("button", "lens-least", `${quoted(this.pieces[number].text)} ${percent(share(logprob))}`);
        button.type = "button";
        button.onclick = () => this.goTo(number);
        return button;
      }),
    );
  }

  // One bar a token, or the highest of several where the strip has fewer pixels.
  drawStrip() {
    this.later = clearTimeout(this.later);
    const { strip, pieces } = this;
    const ratio = devicePixelRatio;
    const [width, height] = [strip.clientWidth * ratio, strip.clientHeight * ratio];
    if (!width || !height) return;
    if (strip.width !== width || strip.height !== height) [strip.width, strip.height] = [width, height];
    const context = strip.getContext("2d");
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(strip);
    const step = width / Math.max(pieces.length, 40);
    const highest = pieces.reduce((max, { entropy }) => Math.max(max, entropy ?? 0), 1);
    context.fillStyle = style.color;
    pieces.forEach(({ entropy }, number) => {
      const bar = ((entropy ?? 0) / highest) * (height - ratio);
      context.fillRect(number * step, height - bar, Math.max(step - ratio, ratio / 2), bar);
    });
    if (this.current != null && this.current < pieces.length) {
      context.fillStyle = style.outlineColor;
      context.fillRect(this.current * step, 0, Math.max(step, 2 * ratio), ratio * 3);
    }
  }

  chooseAt({ offsetX }) {
    const number = Math.floor((offsetX / this.strip.clientWidth) * Math.max(this.pieces.length, 40));
    if (number < this.pieces.length) this.goTo(number);
  }

  makeLegend() {
    const legend = make("p", "lens-legend", "Probability ");
    const names = STEPS.map((lowest) => `≥ ${lowest * 100} %`);
    for (const [number, name] of [...names, `< ${STEPS.at(-1) * 100} %`].entries())
      legend.append(make("span", `token token-${number}`, name), " ");
    legend.append(make("span", "token token-unknown", UNKNOWN));
    return legend;
  }
}
