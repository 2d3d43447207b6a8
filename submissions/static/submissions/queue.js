// Keys of the review queue, and who is looking at what. Every key presses a button or follows a link that stands on the
// page: without this script everything works but the keys and the presence of others.
"use strict";

(() => {
  const HEARTBEAT_MS = 10_000;
  const byId = (id) => document.getElementById(id);

  function press(id) {
    const form = byId(id);
    if (form) form.requestSubmit();
  }

  function follow(id) {
    const link = byId(id);
    if (link) location.assign(link.href);
  }

  function unfold(id, field) {
    const details = byId(id);
    if (!details) return;
    details.open = true;
    details.querySelector(field).focus();
  }

  function help() {
    const keys = byId("keys");
    if (!keys) return;
    keys.open = !keys.open;
    if (keys.open) keys.scrollIntoView({ block: "nearest" });
  }

  function csrf() {
    return document.querySelector("input[name=csrfmiddlewaretoken]").value;
  }

  // -- the page of one submission --

  const KEYS_OF_DESK = {
    a: () => press("accept"),
    // The reasons have a default: a second key, Enter, declines.
    d: () => unfold("decline", "button"),
    n: () => unfold("ask", "textarea"),
    s: () => press("skip"),
    u: () => press("undo"),
    j: () => follow("next"),
    k: () => follow("previous"),
    "?": help,
  };

  async function heartbeat(desk) {
    if (document.hidden) return;
    try {
      const answer = await fetch(desk.dataset.lookUrl, { method: "POST", headers: { "X-CSRFToken": csrf() } });
      if (!answer.ok) return;
      const { looking, status } = await answer.json();
      const told = status === "pending" ? (looking ? `${looking} has this open now.` : "") : `It was ${status} meanwhile.`;
      if (byId("looking").textContent !== told) byId("looking").textContent = told;
    } catch {
      // Offline: the next beat tries again.
    }
  }

  // -- the list --

  let here = -1;
  const rows = () => [...document.querySelectorAll("#result_list tr.data-row")];
  const link = (row) => row && row.querySelector("th a, td a");

  function move(by) {
    const all = rows();
    if (!all.length) return;
    if (all[here]) all[here].classList.remove("q-here");
    here = Math.min(Math.max(here + by, 0), all.length - 1);
    all[here].classList.add("q-here");
    all[here].scrollIntoView({ block: "nearest" });
    link(all[here]).focus({ preventScroll: true });
  }

  function open(hash = "") {
    const target = link(rows()[here]);
    if (target) location.assign(new URL(hash, target.href));
  }

  function take(step) {
    const target = link(rows()[here]);
    if (!target) return;
    const { seenAt } = document.querySelector("[data-queue]").dataset;
    const form = document.createElement("form");
    form.method = "post";
    form.action = new URL("../step/", target.href.split("?")[0]);
    for (const [name, value] of [["csrfmiddlewaretoken", csrf()], ["step", step], ["seen_at", seenAt]]) {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name, value });
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  }

  const KEYS_OF_LIST = {
    j: () => move(1),
    k: () => move(-1),
    a: () => take("accept"),
    d: () => open("#decline"),
    n: () => open("#ask"),
    s: () => take("skip"),
    u: () => press("undo"),
    "?": help,
  };

  async function refreshLooking(list) {
    if (document.hidden) return;
    try {
      const answer = await fetch(list.dataset.lookingUrl);
      if (!answer.ok) return;
      const found = await answer.json();
      for (const cell of document.querySelectorAll("[data-looking]")) cell.textContent = found[cell.dataset.looking] ?? "";
    } catch {
      // Offline: the next beat tries again.
    }
  }

  function listen(keys) {
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
      if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
      const act = keys[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  function start() {
    const desk = document.querySelector("[data-desk]");
    const list = document.querySelector("[data-queue]");
    const batch = document.querySelector("form[data-goes-on]");
    if (desk) {
      listen(KEYS_OF_DESK);
      if (location.hash === "#decline") unfold("decline", "button");
      if (location.hash === "#ask") unfold("ask", "textarea");
      if (desk.dataset.pending) setInterval(heartbeat, HEARTBEAT_MS, desk);
    }
    if (list) {
      listen(KEYS_OF_LIST);
      setInterval(refreshLooking, HEARTBEAT_MS, list);
    }
    if (batch) batch.requestSubmit();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
