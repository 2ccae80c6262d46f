// Copies a text as it was received, Markdown included.
const COPIED_MS = 1500;

function copyBySelection(text) {
  // Pages without HTTPS have no clipboard API.
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done ? Promise.resolve() : Promise.reject();
}

export default ({ parentElement, data }) => {
  const button = parentElement.querySelector("button");
  button.onclick = () =>
    (navigator.clipboard?.writeText(data.text) ?? copyBySelection(data.text)).then(() => {
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), COPIED_MS);
    });
};
