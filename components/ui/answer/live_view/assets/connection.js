// The single connection of a page, shared by all its views; each view watches a run in its own lane.

// A proxy that blocks the socket closes it at once; a slow server only answers late.
const CLOSED_MS = 1500;
const SILENT_MS = 6000;
const LONGEST_PAUSE_MS = 5000;

const lanes = new Map();
let next = 1;
let address = null;
let token = null;
let socket = null;
let open = false;
let pause = 0;
let silent;
let closed;

// A lane passes the server's messages about one run to its view. The view has `request()`, which returns its request;
// `receive(message)`; and `unreachable()`, called when the socket cannot be reached.
export class Lane {
  constructor(view) {
    this.view = view;
    this.number = next++;
  }

  // Send the request if it has changed.
  watch(newAddress, newToken, hasChanged) {
    lanes.set(this.number, this);
    if (newAddress !== address || newToken !== token || !socket) {
      [address, token, pause] = [newAddress, newToken, 0];
      expectNothing();
      connect();
    } else if (open && hasChanged) {
      this.send();
    }
  }

  // Late messages for the view's previous request must not reach it.
  renew() {
    this.leave();
    this.number = next++;
  }

  send() {
    socket.send(JSON.stringify({ lane: this.number, ...this.view.request() }));
  }

  leave() {
    lanes.delete(this.number);
    if (open) socket.send(JSON.stringify({ leave: this.number }));
  }
}

function connect() {
  socket?.close();
  open = false;
  const current = (socket = new WebSocket(address));
  silent ??= setTimeout(giveUp, SILENT_MS);
  current.onopen = () => current.send(JSON.stringify({ token }));
  current.onmessage = (event) => {
    if (current !== socket) return;
    expectNothing();
    if (!open) {
      // The first message confirms the token.
      [open, pause] = [true, 0];
      for (const lane of lanes.values()) lane.send();
    }
    for (const [number, ...message] of JSON.parse(event.data)) lanes.get(number)?.view.receive(message);
  };
  current.onclose = () => {
    if (current !== socket) return;
    open = false;
    if (!lanes.size) socket = null;
    if (!socket) return;
    closed ??= setTimeout(giveUp, CLOSED_MS);
    setTimeout(() => current === socket && connect(), pause);
    pause = Math.min(pause * 2 + 100, LONGEST_PAUSE_MS);
  };
}

function giveUp() {
  for (const lane of lanes.values()) lane.view.unreachable();
}

function expectNothing() {
  silent = clearTimeout(silent);
  closed = clearTimeout(closed);
}
