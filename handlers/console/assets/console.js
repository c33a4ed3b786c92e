// Optional improvements: parts of a page that update themselves, and a checkbox
// that selects all rows. The console works without this script.
"use strict";

// replace replaces elements by received elements with the same id. It skips
// unchanged ones, so that screen readers do not announce them twice.
const replace = (html) => {
  const came = document.createElement("template");
  came.innerHTML = html;
  for (const part of came.content.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (!old || old.isEqualNode(part)) continue;
    if (part.getAttribute("role") === "status") { // announced only if the element stays and its text changes
      old.className = part.className;
      old.replaceChildren(...part.childNodes);
      continue;
    }
    const focused = old.contains(document.activeElement) && document.activeElement.id;
    old.replaceWith(part);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
};

// prepend adds rows at the top of the table's body and drops the oldest.
const prepend = (html, most) => {
  const body = document.querySelector("[data-rows]");
  const came = document.createElement("template");
  came.innerHTML = html;
  document.getElementById("nothing")?.remove();
  body.closest("[hidden]")?.removeAttribute("hidden");
  body.prepend(...came.content.querySelectorAll("tr"));
  while (body.rows.length > most) body.lastElementChild.remove();
};

// follow keeps the page up to date until the user pauses or leaves it.
const follow = (page) => {
  const state = document.getElementById("live");
  const button = document.getElementById("live-pause");
  let source = null;
  let last = page.dataset.after ?? "";

  const say = (name, words) => {
    state.dataset.state = name;
    if (state.textContent !== words) state.textContent = words;
  };

  const start = () => {
    const url = new URL(page.dataset.live, location.href);
    if (last) url.searchParams.set("after", last);
    source = new EventSource(url);
    source.addEventListener("open", () => say("on", "live"));
    source.addEventListener("parts", (e) => replace(e.data));
    source.addEventListener("rows", (e) => {
      last = e.lastEventId;
      prepend(e.data, 200);
    });
    source.addEventListener("end", () => {
      stop("off", "finished");
      button.hidden = true;
    });
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return say("lost", "reconnecting …");
      stop("lost", "no longer live: reload the page");
    });
  };

  const stop = (name, words) => {
    source?.close();
    source = null;
    say(name, words);
    button.textContent = "Resume updates";
  };

  button.addEventListener("click", () => {
    if (source) return stop("off", "updates paused");
    button.textContent = "Pause updates";
    start();
  });
  state.hidden = false;
  button.hidden = false;
  start();
};

// choose selects all rows with one checkbox, and counts the selected rows.
const choose = (form) => {
  const all = form.querySelector("[data-all]");
  const boxes = [...form.querySelectorAll("input[name=id]")];
  const words = form.querySelector("[data-chosen]");
  const count = () => {
    const n = boxes.filter((box) => box.checked).length;
    all.checked = n > 0 && n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
    words.textContent = n === 0 ? "None selected" : n + " selected";
  };
  all.closest("[hidden]").hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  form.addEventListener("change", count);
  count();
};

const page = document.querySelector("[data-live]");
if (page) follow(page);
for (const form of document.querySelectorAll("[data-choose]")) choose(form);
