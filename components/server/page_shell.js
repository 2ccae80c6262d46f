// Keeps input that Streamlit would lose: keys pressed before the page is ready, text typed just before a link is
// followed, and a press on a button that moves.

// For this script and the page's own.
window.temperaRunButton = ":is(.st-key-run, .st-key-run_sweep) button";

// Ctrl+Enter in a message runs the request: a shortcut of the Run button. Pressed while that is not there yet, or disabled,
// the keys are kept here, and press the button once when they can: for a moment where it is disabled, which the person sees,
// and for as long as a slow machine takes to draw a page where it is not there.
(() => {
  const DISABLED_MS = 5000;
  const NOT_DRAWN_MS = 30000;
  const RUN = `${window.temperaRunButton}:not(:disabled)`;
  let earlyKeys = null; // on which page the keys were pressed, and until when they count

  const pressWhenThere = () => {
    if (!earlyKeys) return;
    const isOver = earlyKeys.path !== location.pathname || performance.now() > earlyKeys.until;
    const button = document.querySelector(RUN);
    if (!isOver && !button) return;
    earlyKeys = null;
    if (!isOver) button.click();
  };

  const keepEarlyKeys = (event) => {
    const { key, ctrlKey, metaKey, repeat, target } = event;
    if (key !== "Enter" || !(ctrlKey || metaKey) || repeat || !target.closest?.(".st-key-messages")) return;
    const waitMs = document.querySelector(window.temperaRunButton) ? DISABLED_MS : NOT_DRAWN_MS;
    if (!document.querySelector(RUN)) earlyKeys = { path: location.pathname, until: performance.now() + waitMs };
    // A button that was just drawn does not react to its shortcut yet; one that does has prevented the default action.
    else setTimeout(() => event.defaultPrevented || document.querySelector(RUN)?.click());
  };

  document.addEventListener("keydown", keepEarlyKeys, { capture: true });
  new MutationObserver(pressWhenThere).observe(document, {
    subtree: true,
    childList: true,
    attributeFilter: ["disabled"],
  });
})();

// Streamlit sends what was typed a moment after its field is left, but asks for another page at once: a tap on a link, which
// does both, would have the text sent last and for the page that is left. So such a link is followed a moment later.
(() => {
  const MOMENT_MS = 30;
  let leavesField = false;

  const noticeField = () => (leavesField = document.activeElement?.matches("textarea, input") ?? false);

  const followLater = (event) => {
    const link = event.target.closest?.("a");
    const opensElsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || !leavesField || !event.isTrusted || opensElsewhere) return;
    event.preventDefault();
    event.stopPropagation();
    setTimeout(() => link.click(), MOMENT_MS);
  };

  document.addEventListener("pointerdown", noticeField, { capture: true });
  document.addEventListener("click", followLater, { capture: true });
})();

// An answer that grows moves everything below it, also a button between the press and the release of the pointer; a browser
// takes that for no click. So the press counts for the button that it began on, if the button moved and the pointer did not.
(() => {
  const STILL_PX = 4;
  let pressed = null; // the button, its place, and that of the pointer

  const notePress = ({ target, button, clientX, clientY }) => {
    const element = button ? null : target.closest?.("button");
    pressed = element && { element, top: element.getBoundingClientRect().top, clientX, clientY };
  };

  const clickMoved = ({ target, clientX, clientY }) => {
    if (!pressed || pressed.element.contains(target)) return;
    const { element, top } = pressed;
    const isStill = Math.hypot(clientX - pressed.clientX, clientY - pressed.clientY) < STILL_PX;
    // A moment later, because the button ignores clicks until it has noticed the release.
    if (isStill && element.getBoundingClientRect().top !== top) setTimeout(() => element.click());
  };

  document.addEventListener("pointerdown", notePress, { capture: true });
  document.addEventListener("pointerup", clickMoved, { capture: true });
})();

// A page in the frame of another site tells that site its height, so that it is shown whole.
(() => {
  const POLL_MS = 500;
  if (window.parent === window || !new URLSearchParams(location.search).has("embed")) return;
  let sentHeight = 0;
  setInterval(() => {
    const content = document.querySelector("[data-testid=stMainBlockContainer]");
    const height = Math.ceil(content?.getBoundingClientRect().height ?? 0);
    if (height && height !== sentHeight) window.parent.postMessage({ tempera: { height: (sentHeight = height) } }, "*");
  }, POLL_MS);
})();
