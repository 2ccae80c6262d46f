// Ctrl+Enter in a message runs the request: a shortcut of the Run button. Pressed while that is not there yet, or disabled,
// the keys are kept here for a moment, and press the button once when they can.
(() => {
  const PATIENCE_MS = 5000;
  const RUN = ":is(.st-key-run, .st-key-run_sweep) button:not(:disabled)";
  let kept = null; // on which page the keys were pressed, and when

  const pressWhenThere = () => {
    if (!kept) return;
    const isOver = kept.path !== location.pathname || performance.now() - kept.moment > PATIENCE_MS;
    const button = document.querySelector(RUN);
    if (!isOver && !button) return;
    kept = null;
    if (!isOver) button.click();
  };

  const keepEarlyKeys = ({ key, ctrlKey, metaKey, repeat, target }) => {
    if (key !== "Enter" || !(ctrlKey || metaKey) || repeat || !target.closest?.(".st-key-messages")) return;
    if (!document.querySelector(RUN)) kept = { path: location.pathname, moment: performance.now() };
  };

  document.addEventListener("keydown", keepEarlyKeys, { capture: true });
  new MutationObserver(pressWhenThere).observe(document, {
    subtree: true,
    childList: true,
    attributeFilter: ["disabled"],
  });
})();
