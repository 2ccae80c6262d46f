// Runs in every frame of a measured page before its own scripts: counts what arrives, and sees when words are on the screen.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const onScreen = { now, bytes: 0, clickedAt: null, seen: [], last: {}, took: null };
  window.onScreen = onScreen;

  window.WebSocket = class extends window.WebSocket {
    constructor(...options) {
      super(...options);
      this.addEventListener("message", ({ data }) => {
        onScreen.bytes += typeof data === "string" ? new TextEncoder().encode(data).length : data.byteLength ?? data.size;
      });
    }
  };

  // A clone is read beside the body: the browser's own record of sizes has nothing of a stream that was broken off.
  const count = async response => {
    try {
      for await (const piece of response.body ?? []) onScreen.bytes += piece.byteLength;
    } catch {
      // The page broke the stream off; what came until then is counted.
    }
  };
  const fetch = window.fetch;
  window.fetch = async (...request) => {
    const response = await fetch(...request);
    count(response.clone());
    return response;
  };

  // A message sent by the frame's callback comes when the frame is done, with all that other callbacks changed in it.
  const afterEachFrame = look => {
    const { port1, port2 } = new MessageChannel();
    const ask = () => requestAnimationFrame(() => port2.postMessage(null));
    port1.onmessage = () => (look() ? port1.close() : ask());
    ask();
  };

  const SILENT = new Set(["BUTTON", "SCRIPT", "STYLE", "TEMPLATE", "svg"]);

  // The last word in the node: its stream's letters and its number. Goes backwards and reads the end of a text only.
  const lastWord = node => {
    if (node.nodeType === Node.TEXT_NODE) {
      const words = node.substringData(Math.max(node.length - 40, 0), 40).match(/\b[a-z]+\d+\b/g);
      return words?.at(-1) ?? null;
    }
    if (SILENT.has(node.nodeName)) return null;
    const inShadow = node.shadowRoot && lastWord(node.shadowRoot);
    if (inShadow) return inShadow;
    for (let child = node.lastChild; child; child = child.previousSibling) {
      const word = lastWord(child);
      if (word) return word;
    }
    return null;
  };

  // The clock of Run starts with the next click, and nothing has been seen before it.
  onScreen.awaitClick = () => {
    onScreen.seen.length = 0;
    addEventListener(
      "click",
      () => {
        onScreen.clickedAt = now();
        onScreen.bytes = 0;
      },
      { once: true, capture: true },
    );
  };

  // From now on, note the last word of each answer after each frame.
  onScreen.watch = selector => {
    onScreen.awaitClick();
    afterEachFrame(() => {
      const at = now();
      for (const answer of document.querySelectorAll(selector)) {
        const word = lastWord(answer);
        if (!word) continue;
        const [, stream, digits] = word.match(/(\D+)(\d+)/);
        const number = Number(digits);
        if (number > (onScreen.last[stream] ?? -1)) {
          onScreen.last[stream] = number;
          onScreen.seen.push([stream, number, at]);
        }
      }
    });
  };

  // Every word in the answers, once, in the end. Blocks part words, inline elements do not.
  onScreen.words = selector => {
    const text = node => {
      if (node.nodeType === Node.TEXT_NODE) return node.data;
      if (node.nodeType !== Node.ELEMENT_NODE || SILENT.has(node.nodeName)) return "";
      const inside = [...node.childNodes, ...(node.shadowRoot?.childNodes ?? [])].map(text).join("");
      return getComputedStyle(node).display.startsWith("inline") ? inside : ` ${inside} `;
    };
    const answers = [...document.querySelectorAll(selector)].map(text).join(" ");
    return [...new Set(answers.match(/\b[a-z]+\d+\b/g) ?? [])];
  };

  // Note the end of the first frame in which such an element has a size, in milliseconds since the page was asked for.
  onScreen.awaitElement = selector =>
    afterEachFrame(() => {
      if (document.querySelector(selector)?.getBoundingClientRect().height) onScreen.readyAt = performance.now();
      return Boolean(onScreen.readyAt);
    });

  // Milliseconds from the next such event to the end of the first frame in which the effect is shown.
  onScreen.watchEffect = (event, isShown) => {
    onScreen.took = null;
    addEventListener(
      event,
      () => {
        const began = performance.now();
        afterEachFrame(() => {
          if (isShown()) onScreen.took = performance.now() - began;
          return onScreen.took !== null;
        });
      },
      { once: true, capture: true },
    );
  };
})();
