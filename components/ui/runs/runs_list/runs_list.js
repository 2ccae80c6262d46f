// Draws the rows of the run log: a click opens a run, a tick selects it. On a narrow page, each row is a card.
const MOMENT = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" };

const text = (tag, words, attributes = {}) => {
  const element = document.createElement(tag);
  element.textContent = words;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

const checkbox = (label, checked, onchange) => {
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", checked, onchange });
  box.setAttribute("aria-label", label);
  return box;
};

// In the time zone of the browser.
const inWords = (column, value) =>
  column.kind === "moment" && value ? new Date(value).toLocaleString("en-GB", MOMENT) : (value ?? "–");

class RunsList {
  constructor(root, component) {
    this.root = root;
    this.ticked = new Set();
    root.addEventListener("pointerleave", () => this.pending && this.draw(this.pending));
    this.update(component);
  }

  update({ data, setTriggerValue }) {
    this.send = setTriggerValue;
    const isOther = data.generation !== this.data?.generation;
    if (isOther) this.ticked = new Set(data.ticked);
    const ids = (list) => list?.rows.map((row) => row.id).join();
    // No row moves away under the pointer.
    if (!isOther && ids(data) !== ids(this.data) && this.root.matches(":hover")) this.pending = data;
    else if (JSON.stringify(data) !== JSON.stringify(this.data)) this.draw(data);
  }

  draw(data) {
    this.data = data;
    this.pending = undefined;
    const focused = document.activeElement?.dataset.run;
    const table = text("table", "", { role: "table", "aria-label": "Runs" });
    table.append(this.head(data), this.body(data));
    this.root.replaceChildren(table);
    if (focused) this.root.querySelector(`button[data-run="${focused}"]`)?.focus();
  }

  head({ columns, rows }) {
    const head = text("thead", "", { role: "rowgroup" });
    const row = text("tr", "", { role: "row" });
    const all = checkbox("Select all runs of this page", false, () => {
      for (const { id } of rows) this.ticked[all.checked ? "add" : "delete"](id);
      this.sendTicked();
    });
    all.checked = rows.length > 0 && rows.every(({ id }) => this.ticked.has(id));
    const first = text("th", "", { role: "columnheader", scope: "col", class: "tick" });
    first.append(all);
    row.append(first);
    for (const column of columns) {
      const cell = text("th", column.title, { role: "columnheader", scope: "col", "data-kind": column.kind });
      if (column.help) cell.title = column.help;
      row.append(cell);
    }
    head.append(row);
    return head;
  }

  body({ columns, rows, opened }) {
    const body = text("tbody", "", { role: "rowgroup" });
    for (const { id, status, cells } of rows) {
      const row = text("tr", "", { role: "row", "data-status": status });
      if (id === opened) row.setAttribute("aria-current", "true");
      row.onclick = (event) => {
        if (!event.target.closest(".tick") && getSelection().isCollapsed) this.send("opened", id);
      };
      const tick = text("td", "", { role: "cell", class: "tick" });
      const name = inWords(columns[0], cells[0]);
      tick.append(
        checkbox(`Select run ${name}`, this.ticked.has(id), ({ target }) => {
          this.ticked[target.checked ? "add" : "delete"](id);
          this.sendTicked();
        }),
      );
      row.append(tick);
      columns.forEach((column, number) => {
        const words = inWords(column, cells[number]);
        const cell = text("td", number ? words : "", {
          role: "cell",
          "data-kind": column.kind,
          "data-name": column.title,
          ...(cells[number] === null && { "data-empty": "" }),
        });
        if (number) cell.title = cells[number] ?? "";
        else cell.append(text("button", words, { type: "button", "data-run": id, "aria-label": `Open run ${words}` }));
        row.append(cell);
      });
      body.append(row);
    }
    return body;
  }

  sendTicked() {
    this.send("ticked", [...this.ticked]);
    this.draw(this.data);
  }
}

export default (component) => {
  const root = component.parentElement.querySelector(".runs-list");
  if (root.list) root.list.update(component);
  else root.list = new RunsList(root, component);
};
