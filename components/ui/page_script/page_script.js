// Keyboard focus, the Escape key, open menus, the drawer of a base and the menu of narrow pages, for which Streamlit has no setting.
const OVERLAY = "[role=listbox], [role=menu], [role=dialog]:not(section)";
const MAX_WAIT_MS = 3000;

let escapeIsForOverlay = false;

function isOpen(overlay) {
  return overlay.checkVisibility() && !overlay.closest("[data-testid=stSidebar]");
}

// An open select, menu or dialog closes on Escape; the shortcut of Stop must not see that key.
function noteEscape(event) {
  escapeIsForOverlay = event.key === "Escape" && [...document.querySelectorAll(OVERLAY)].some(isOpen);
}

function keepEscapeFromShortcuts(event) {
  if (event.key === "Escape" && escapeIsForOverlay) event.stopPropagation();
}

const isRunKey = (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey);

// Text may come before the page is drawn with its Stop button enabled: Escape counts once it is.
const STOP = ":is(.st-key-stop, .st-key-stop_all, .st-key-stop_sweep) button:not(:disabled)";
let ranAt = -Infinity;

function noteRun(event) {
  if (isRunKey(event) || (event.type === "click" && event.target.closest(window.temperaRunButton))) ranAt = performance.now();
}

function stopWhenDrawn(event) {
  const ran = ranAt;
  if (event.key !== "Escape" || escapeIsForOverlay || document.querySelector(STOP)) return;
  whenDrawn(STOP, () => ran === ranAt && performance.now() - ran <= MAX_WAIT_MS, (button) => button.click());
}

function whenDrawn(selector, mayWait, act) {
  if (!mayWait()) return;
  const element = document.querySelector(selector);
  if (element) act(element);
  else requestAnimationFrame(() => whenDrawn(selector, mayWait, act));
}

// A menu closes when the server changes its select, as to "value" after a typed number. Unless a person closed it, it
// opens again, once.
let touches = 0;
let openMenu = null;

const noteTouch = () => touches++;

function keepMenuOpen() {
  const trigger = document.querySelector(".react-aria-ComboBox button[aria-expanded=true]");
  if (trigger) {
    if (trigger !== openMenu?.trigger || touches !== openMenu.touches) openMenu = { trigger, touches };
    return;
  }
  const closed = openMenu;
  openMenu = null;
  if (!closed || closed.touches !== touches || closed.reopened || !closed.trigger.isConnected) return;
  closed.trigger.click();
  openMenu = { ...closed, reopened: true };
}

// Help is beside what it explains; the keyboard goes from field to field.
function skipHelp(event) {
  if (event.key !== "Tab") return;
  for (const help of document.querySelectorAll("[data-testid=stTooltipIcon] button[aria-label^=Help]")) help.tabIndex = -1;
}

// The keyboard scrolls a table or a lane's answer only if it can be focused; a field for files is not only a presentation.
function fixMarkup() {
  for (const scroller of document.querySelectorAll("[data-testid=stTable] > div, [class*=st-key-lane_answer_]")) {
    const scrolls = scroller.scrollWidth > scroller.clientWidth || scroller.scrollHeight > scroller.clientHeight;
    if (scrolls) scroller.tabIndex = 0;
    else scroller.removeAttribute("tabindex");
  }
  for (const field of document.querySelectorAll("[data-testid=stFileUploaderDropzone]")) field.removeAttribute("role");
}

const MEND_EACH_MS = 500;
let mending = null;

function fixSoon() {
  mending ??= setTimeout(() => {
    mending = null;
    fixMarkup();
  }, MEND_EACH_MS);
}

// The settings of a narrow page lie over it until something else is touched.
function closeSheet(event) {
  const sheet = document.querySelector(".st-key-settings")?.closest("[data-testid=stColumn]");
  if (!sheet?.checkVisibility() || getComputedStyle(sheet).position !== "fixed") return;
  if (event.type === "keydown" ? event.key !== "Escape" || escapeIsForOverlay : !isOutside(event.target, sheet)) return;
  event.stopPropagation();
  sheet.querySelector(".st-key-hide_settings button").click();
}

// What opens over the sheet, such as its menus, belongs to it.
function isOutside(target, sheet) {
  return target.isConnected && !sheet.contains(target) && !target.closest(`${OVERLAY}, [data-testid=stPopoverBody]`);
}

// In a conversation, Run sends the text in the composer.
function sendComposed(event) {
  const runs = event.type === "click" ? event.target.closest(".st-key-run button") : isRunKey(event);
  const send = document.querySelector(".st-key-composer [data-testid=stChatInputSubmitButton]:not([disabled])");
  if (!runs || !send) return;
  event.preventDefault();
  event.stopPropagation();
  send.click();
}

// The menu of a narrow page covers the page that was just chosen.
function closeMenu(event) {
  const sidebar = event.target.closest("[data-testid=stSidebar]");
  if (!sidebar || !event.target.closest("[data-testid=stSidebarNavLink]")) return;
  if (window.matchMedia("(max-width: 768px)").matches) {
    sidebar.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  }
}

const base = () => document.querySelector(".st-key-base");
const drawer = () => base()?.querySelector(".st-key-base_drawer");
const baseLine = () => base()?.querySelector(".st-key-base_summary button");

function setDrawer(open) {
  drawer().toggleAttribute("data-open", open);
  baseLine()?.setAttribute("aria-expanded", String(open));
}

function pressBaseLine(event) {
  if (!drawer() || !baseLine()?.contains(event.target)) return;
  const open = !drawer().hasAttribute("data-open");
  setDrawer(open);
  if (open) [...drawer().querySelectorAll(".st-key-messages textarea")].at(-1)?.focus();
}

// The Tab key goes past a closed drawer.
function skipClosedDrawer(event) {
  const closed = drawer();
  if (event.key !== "Tab" || !closed || closed.hasAttribute("data-open")) return;
  closed.inert = true;
  setTimeout(() => (closed.inert = false));
}

// A field that gets the focus otherwise, as by a program, must be seen.
function openDrawer(event) {
  if (drawer()?.contains(event.target)) setDrawer(true);
}

// Menus of the drawer's fields are outside the page's main part.
function closeDrawer(event) {
  const elsewhere = event.target.closest("[data-testid=stMain]") && !base()?.contains(event.target);
  if (elsewhere && drawer()) setDrawer(false);
}

// Ctrl+Enter runs what was typed, and Escape closes the drawer before it stops anything.
function closeDrawerByKey(event) {
  if (!drawer()?.hasAttribute("data-open")) return;
  const runs = isRunKey(event);
  if (!runs && (event.key !== "Escape" || escapeIsForOverlay)) return;
  if (!runs) escapeIsForOverlay = true;
  setDrawer(false);
  // The field submits its text first.
  if (drawer().contains(document.activeElement)) setTimeout(() => baseLine()?.focus());
}

// What is typed after a press that adds a message waits for its field: else it lands in the message before.
const ADDS_MESSAGE = { KeyM: ".st-key-add_answer", KeyU: ".st-key-add_user" };
let held = null;

function holdTyping(event) {
  const button = event.altKey && ADDS_MESSAGE[event.code];
  if (button && document.querySelector(`${button} button:not([disabled])`)) {
    held = "";
    setTimeout(releaseTyping, MAX_WAIT_MS);
    return;
  }
  if (held === null || event.ctrlKey || event.metaKey || event.altKey) return;
  const typed = event.key === "Enter" ? "\n" : event.key;
  if (typed === "Backspace") held = held.slice(0, -1);
  else if (typed.length === 1) held += typed;
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function releaseTyping() {
  if (held) document.execCommand("insertText", false, held);
  held = null;
}

function focusWhenDrawn(key) {
  const until = performance.now() + MAX_WAIT_MS;
  // As Streamlit makes a class of a key.
  const field = `.st-key-${key.replace(/[^a-zA-Z0-9_-]/g, "-")} :is(textarea, input)`;
  whenDrawn(field, () => performance.now() < until, (input) => {
    input.focus();
    input.setSelectionRange?.(input.value.length, input.value.length);
    releaseTyping();
  });
}

export default ({ data }) => {
  if (!window.temperaPageScript) {
    window.temperaPageScript = { focused: data.number };
    const keysFirst = [noteEscape, noteRun, stopWhenDrawn, holdTyping, skipHelp, sendComposed, closeDrawerByKey, skipClosedDrawer];
    for (const listener of keysFirst) window.addEventListener("keydown", listener, true);
    for (const listener of [noteRun, sendComposed]) window.addEventListener("click", listener, true);
    for (const listener of [keepEscapeFromShortcuts, closeSheet]) document.body.addEventListener("keydown", listener);
    for (const listener of [closeMenu, closeSheet, pressBaseLine]) document.addEventListener("click", listener);
    for (const listener of [openDrawer, closeDrawer]) document.addEventListener("focusin", listener);
    document.addEventListener("pointerdown", closeDrawer);
    for (const touch of ["pointerdown", "keydown", "wheel"]) window.addEventListener(touch, noteTouch, true);
    window.addEventListener("resize", fixMarkup);
    // A widget's own script may come long after the page's.
    fixSoon();
    new MutationObserver(fixSoon).observe(document.querySelector("[data-testid=stApp]"), { childList: true, subtree: true });
    // Menus are children of the body, which else hardly changes.
    new MutationObserver(keepMenuOpen).observe(document.body, { childList: true });
  }
  if (data.number !== window.temperaPageScript.focused) {
    window.temperaPageScript.focused = data.number;
    focusWhenDrawn(data.key);
  }
};
