// Keeps the page as the server has it: every frame is HTML the server rendered and escaped.
"use strict";

const byId = (id) => document.getElementById(id);
const status = byId("status");
const pause = byId("pause");
const LONGEST = { timeline: 60, recollections: 40 };
let after = document.body.dataset.after;
let source = null;

function place(piece) {
  const same = piece.id && byId(piece.id);
  const above = piece.dataset.under && byId(piece.dataset.under);
  if (same && piece.dataset.into) return; // a post that is there already
  if (same) return same.replaceWith(piece);
  if (!piece.dataset.into) return;
  piece.classList.add("new");
  const list = byId(piece.dataset.into);
  if (!above) return list.prepend(piece);
  above.querySelector(":scope > .replies").append(piece);
  let root = above;
  while (root.parentElement !== list) root = root.parentElement;
  if (root !== list.firstElementChild) list.prepend(root); // the latest conversation first
}

function show(html) {
  const frame = document.createElement("template");
  frame.innerHTML = html;
  for (const piece of [...frame.content.children]) place(piece);
  for (const [id, most] of Object.entries(LONGEST)) {
    const list = byId(id);
    while (list.children.length > most) list.lastElementChild.remove();
  }
}

function tell(state) {
  status.textContent = state;
  status.dataset.state = state;
}

const isPaused = () => pause.getAttribute("aria-pressed") === "true";

function connect() {
  if (isPaused()) return;
  source = new EventSource(`/live?after=${encodeURIComponent(after)}`);
  source.onopen = () => tell("live");
  source.onmessage = (message) => {
    after = message.lastEventId || after;
    show(message.data);
  };
  source.addEventListener("gap", () => location.reload());
  source.onerror = () => {
    tell("reconnecting");
    // The browser tries again by itself, unless the server answered with an error.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
}

pause.hidden = false;
pause.onclick = () => {
  pause.setAttribute("aria-pressed", String(!isPaused()));
  pause.textContent = isPaused() ? "Resume" : "Pause";
  source.close();
  tell(isPaused() ? "paused" : "reconnecting");
  connect();
};

for (const form of document.querySelectorAll("form")) {
  form.onsubmit = async (submission) => {
    submission.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    await fetch(form.action, { method: "POST", body, redirect: "manual" });
    form.reset();
    source.close(); // a new stream begins with a frame, so the change is seen at once
    connect();
  };
}

connect();
