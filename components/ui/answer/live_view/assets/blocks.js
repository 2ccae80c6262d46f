// Draws blocks of HTML, each in its own element. Equal blocks are not touched, so a selection in them stays.

const COPIED_MS = 1500;

// Called by Streamlit for the blocks of a text that arrives with the page and not through the socket.
export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".live-view");
  Object.assign(root.dataset, { part: data.part, last: data.last });
  markOutdated(root, data.stale);
  root.onclick = copy;
  const text = root.querySelector(".live-text");
  text.setAttribute("aria-busy", String(Boolean(data.busy)));
  paint(text, data.blocks);
}

// The box of an answer to other settings is grey; the status and other texts have none.
export function markOutdated(root, stale) {
  root.closest(".st-key-answer, [class*=st-key-lane_answer_]")?.toggleAttribute("data-outdated", Boolean(stale));
}

// Blocks before the first one are unchanged.
export function paint(text, blocks, first = 0) {
  for (let number = first; number < blocks.length; number += 1) {
    if (!text.children[number]) text.append(document.createElement("div"));
    patch(text.children[number], blocks[number]);
  }
  while (text.children.length > blocks.length) text.lastElementChild.remove();
}

export function copy({ target }) {
  const button = target.closest(".copy");
  if (!button) return;
  const source = button.parentElement.querySelector("pre, .live-text");
  const done = () => {
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), COPIED_MS);
  };
  if (navigator.clipboard) navigator.clipboard.writeText(source.textContent).then(done);
  else {
    // Pages without HTTPS have no clipboard API and copy the selection.
    getSelection().selectAllChildren(source);
    if (document.execCommand("copy")) done();
  }
}

function patch(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  patchChildren(element, template.content);
}

function patchChildren(element, target) {
  let node = element.firstChild;
  for (const targetNode of [...target.childNodes]) {
    const following = node?.nextSibling;
    if (!node) element.append(targetNode);
    else if (node.nodeType === Node.TEXT_NODE && targetNode.nodeType === Node.TEXT_NODE) patchText(node, targetNode.data);
    else if (node.cloneNode(false).isEqualNode(targetNode.cloneNode(false))) patchChildren(node, targetNode);
    else node.replaceWith(targetNode);
    node = following;
  }
  while (node) {
    const following = node.nextSibling;
    node.remove();
    node = following;
  }
}

function patchText(node, text) {
  if (text === node.data) return;
  if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
}
