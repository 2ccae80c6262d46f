// Makes a part of the page equal to HTML and leaves alone what is equal already: a selection in it stays.

export function patch(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  patchChildren(element, template.content);
}

function patchChildren(element, wanted) {
  let node = element.firstChild;
  for (const want of [...wanted.childNodes]) {
    const following = node?.nextSibling;
    if (!node) element.append(want);
    else if (node.nodeType === Node.TEXT_NODE && want.nodeType === Node.TEXT_NODE) patchText(node, want.data);
    else if (node.cloneNode(false).isEqualNode(want.cloneNode(false))) patchChildren(node, want);
    else node.replaceWith(want);
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
