// Ctrl+Enter in a message runs the request. Streamlit listens for it from the moment on in which it has drawn the button;
// pressed earlier, while the page is still being drawn, it would be lost. Here it is kept, and presses the button once.
(() => {
  const PATIENCE_MS = 5000;
  const YOUNG_MS = 1000;
  const RUN = ":is(.st-key-run, .st-key-run_sweep) button:not(:disabled)";
  let kept = null; // the page and the moment of a press that nothing has taken
  let drawn = null; // the button, and since when it is there
  let since = 0;

  function look() {
    const button = document.querySelector(RUN);
    if (button !== drawn) [drawn, since] = [button, performance.now()];
    if (!kept) return;
    if (kept.path !== location.pathname || performance.now() - kept.moment > PATIENCE_MS) kept = null;
    else if (button) {
      kept = null;
      button.click();
    }
  }

  function keep() {
    kept = { path: location.pathname, moment: performance.now() };
    look();
  }

  document.addEventListener(
    "keydown",
    (event) => {
      const runs = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
      if (!runs || event.repeat || kept || !event.target.closest?.(".st-key-messages")) return;
      if (!document.querySelector(RUN)) keep();
      else if (performance.now() - since < YOUNG_MS) {
        // Streamlit begins to listen a moment after the button is there. Its listener, the document's, takes the event.
        const prevent = event.preventDefault.bind(event);
        let taken = false;
        event.preventDefault = () => {
          taken ||= event.currentTarget === document;
          prevent();
        };
        setTimeout(() => taken || keep());
      }
    },
    { capture: true },
  );
  // Whoever presses the button has no need of the press before.
  document.addEventListener("click", ({ target }) => target.closest?.(RUN) && (kept = null), { capture: true });
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter: ["disabled"] });
})();
