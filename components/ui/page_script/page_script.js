// Keyboard focus, the Escape key and the menu of narrow pages, which Streamlit offers no setting for.
const OVERLAY = "[role=listbox], [role=menu], [role=dialog]:not(section)";
const MOST_WAIT_MS = 3000;

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

// The menu of a narrow page covers the page that was just chosen.
function closeMenu(event) {
  const sidebar = event.target.closest("[data-testid=stSidebar]");
  if (!sidebar || !event.target.closest("[data-testid=stSidebarNavLink]")) return;
  if (window.matchMedia("(max-width: 768px)").matches) {
    sidebar.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  }
}

function focusWhenDrawn(key) {
  const until = performance.now() + MOST_WAIT_MS;
  // As Streamlit makes a class of a key.
  const field_class = `st-key-${key.replace(/[^a-zA-Z0-9_-]/g, "-")}`;
  const attempt = () => {
    const field = document.querySelector(`.${field_class} :is(textarea, input)`);
    if (field) {
      field.focus();
      field.setSelectionRange?.(field.value.length, field.value.length);
    } else if (performance.now() < until) {
      requestAnimationFrame(attempt);
    }
  };
  attempt();
}

export default ({ data, parentElement }) => {
  if (!window.temperaPageScript) {
    window.temperaPageScript = { focused: data.number };
    window.addEventListener("keydown", noteEscape, true);
    document.body.addEventListener("keydown", keepEscapeFromShortcuts);
    document.addEventListener("click", closeMenu);
  }
  if (data.number !== window.temperaPageScript.focused) {
    window.temperaPageScript.focused = data.number;
    focusWhenDrawn(data.key);
  }
};
