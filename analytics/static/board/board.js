// What the dashboard gains by a script: parts are replaced instead of the page, keys, a pointer's number in the chart,
// and numbers that keep up. Without it every link and form still works.
"use strict";

const board = document.getElementById("board");
const ROOT = board ? board.dataset.root : "";
// Chosen in one part alone; links of the other parts do not know of it.
const OWN = /^(tab_[a-z]+|metric|interval)$/;
let asking = new AbortController();

const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const part = (name) => find(`[data-part="${name}"]`);

function complain(text) {
  const problem = document.getElementById("problem");
  problem.textContent = text;
  problem.hidden = !text;
}

// -- parts ------------------------------------------------------------------------------------------------------------

async function fetched(address, name, signal) {
  const asked = new URL(address, location);
  if (name) asked.searchParams.set("part", name);
  const answer = await fetch(asked, { signal, headers: { Accept: "text/html" } });
  // Signed out meanwhile: the page itself leads to signing in.
  if (answer.redirected) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.ok) return document.adoptNode(page.body.firstElementChild);
  const sentence = find(".why-not", page);
  throw new Error(sentence ? sentence.textContent : `The server answered with ${answer.status}.`);
}

function put(old, made) {
  // Who used a link of this part stands on the same link afterwards.
  const focused = old.contains(document.activeElement) ? document.activeElement.textContent : null;
  const openMeanings = all(".why, .table", old).map((details) => details.open);
  all(".why, .table", made).forEach((details, n) => (details.open = Boolean(openMeanings[n])));
  old.replaceWith(made);
  if (focused === null) return;
  const same = all("a[href], summary", made).find((one) => one.textContent === focused && one.offsetParent);
  const there = same || find("h2", made) || made;
  if (!same) there.tabIndex = -1;
  there.focus({ preventScroll: true });
}

async function refresh(address, names, signal) {
  await Promise.all(
    names.map(async (name) => {
      const made = await fetched(address, name, signal);
      if (made && !signal.aborted) put(part(name), made);
    }),
  );
}

// The cards that there are for this address, in their order; those that were there stay until they are replaced.
function arrange(list) {
  const cards = document.getElementById("cards");
  cards.replaceChildren(...all("[data-part]", list).map((card) => part(card.dataset.part) || card));
  return all("[data-part]", cards).map((card) => card.dataset.part);
}

async function show(address, only) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  complain("");
  const changing = only ? [part(only)] : [part("top"), part("totals"), ...document.getElementById("cards").children];
  changing.forEach((one) => one.setAttribute("aria-busy", "true"));
  try {
    if (only) {
      await refresh(address, [only], signal);
    } else {
      const [list] = await Promise.all([fetched(address, "cards", signal), refresh(address, ["top", "totals"], signal)]);
      if (!list || signal.aborted) return;
      await refresh(address, arrange(list), signal);
    }
    const { title, told } = part("top").dataset;
    document.title = title;
    document.getElementById("told").textContent = told;
  } catch (error) {
    if (signal.aborted) return;
    all("[aria-busy]").forEach((busy) => busy.removeAttribute("aria-busy"));
    complain(`The numbers could not be loaded. ${error.message}`);
  }
}

// The address of a link, with what was chosen in other parts since it was made.
function current(link) {
  const address = new URL(link.href, location);
  const own = link.dataset.sets;
  for (const name of new Set([...address.searchParams.keys(), ...new URL(location).searchParams.keys()])) {
    if (!OWN.test(name) || name === own) continue;
    const chosen = new URL(location).searchParams.get(name);
    if (chosen === null) address.searchParams.delete(name);
    else address.searchParams.set(name, chosen);
  }
  return address;
}

function go(link) {
  const address = current(link);
  // Realtime is another page.
  const isHere = board && address.pathname === ROOT && address.searchParams.get("period") !== "realtime";
  if (!isHere || "leaves" in link.dataset) return location.assign(address);
  history.pushState(null, "", address);
  show(address, link.dataset.sets && link.closest("[data-part]").dataset.part);
}

addEventListener("popstate", () => board && show(location.href));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  closeMenus(event.target.closest(".menu, .totals .why"));
  if (!link || event.defaultPrevented || event.button) return;
  if (event.ctrlKey || event.metaKey) {
    if (!link.dataset.opens) return;
    event.preventDefault();
    open(link.dataset.opens, "_blank", "noopener,noreferrer");
  } else if (board && !event.shiftKey && !event.altKey && !("leaves" in link.dataset) && board.contains(link)) {
    event.preventDefault();
    go(link);
  }
});

// -- menus and keys ---------------------------------------------------------------------------------------------------

function closeMenus(but) {
  const open = all(".menu[open], .totals .why[open]").filter((menu) => menu !== but);
  open.forEach((menu) => (menu.open = false));
  return open;
}

const keysOn = document.getElementById("keys-on");
if (keysOn) {
  all("[data-scripted]").forEach((element) => (element.hidden = false));
  keysOn.checked = localStorage.getItem("keys") !== "off";
  keysOn.addEventListener("change", () => localStorage.setItem("keys", keysOn.checked ? "on" : "off"));
}

function press(key) {
  if (key === "?") {
    const help = document.getElementById("help");
    if (!help) return false;
    help.open = !help.open;
    find("summary", help).focus();
    return true;
  }
  if (key === "/") {
    const menu = document.getElementById("filter-menu");
    const field = document.getElementById("search") || document.getElementById("value");
    if (!field) return false;
    if (menu) menu.open = true;
    field.focus();
    return true;
  }
  const link = find(`a[data-key="${CSS.escape(key)}"]`);
  if (link) go(link);
  return Boolean(link);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "Escape") {
    const [closed] = closeMenus(null);
    if (closed) find("summary", closed).focus();
    if (closed || typing) return typing && typing.blur();
    // Nothing is set, so there is nothing to clear.
    if (board && !find(".chips")) return;
  }
  if (typing || (keysOn && !keysOn.checked && event.key !== "?")) return;
  // The arrows scroll what is focused and can be scrolled.
  if (event.key.startsWith("Arrow") && event.target.closest?.(".scroll, pre")) return;
  if (press(event.key.toLowerCase())) event.preventDefault();
});

addEventListener("submit", (event) => {
  if (event.target.method !== "get" || !board) return;
  event.preventDefault();
  const form = event.target;
  const link = document.createElement("a");
  link.href = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
  location.assign(current(link));
});

// -- the chart --------------------------------------------------------------------------------------------------------

function pointAt(event) {
  const plot = event.target.closest?.(".lines");
  const rows = all("#numbers tbody tr");
  if (!plot || !rows.length) return null;
  const box = plot.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * 100;
  const near = rows.reduce((best, row) => (Math.abs(row.dataset.x - x) < Math.abs(best.dataset.x - x) ? row : best));
  return { plot, box, row: near };
}

function tell(row) {
  const [name, value, before, valueBefore] = all("th, td", row).map((cell) => cell.textContent.trim());
  const tip = document.getElementById("tip");
  const strong = document.createElement("b");
  strong.textContent = value;
  const lines = [name, strong];
  if (before) {
    const quiet = document.createElement("span");
    quiet.className = "quiet";
    quiet.textContent = `${before}: ${valueBefore}`;
    lines.push(quiet);
  }
  tip.replaceChildren(...lines);
  tip.hidden = false;
  return tip;
}

addEventListener("pointermove", (event) => {
  const found = pointAt(event);
  const chart = document.getElementById("chart");
  if (!chart) return;
  chart.classList.toggle("pointed", Boolean(found && found.row.dataset.y));
  if (!found) return (document.getElementById("tip").hidden = true);
  const { plot, box, row } = found;
  const tip = tell(row);
  const place = (row.dataset.x / 100) * box.width;
  const isRight = place + tip.offsetWidth + 16 > box.width;
  tip.style.left = `${Math.max(0, isRight ? place - tip.offsetWidth - 12 : place + 12)}px`;
  if (!row.dataset.y) return;
  const [line, dot] = all(".cursor", plot);
  line.setAttribute("x1", `${row.dataset.x}%`);
  line.setAttribute("x2", `${row.dataset.x}%`);
  dot.setAttribute("cx", `${row.dataset.x}%`);
  dot.setAttribute("cy", `${row.dataset.y}%`);
});

document.addEventListener("click", (event) => {
  const found = pointAt(event);
  const link = found && find("a", found.row);
  if (link) go(link);
});

// -- what keeps up ----------------------------------------------------------------------------------------------------

async function keepUp(name) {
  const old = part(name);
  if (!old) return;
  setTimeout(keepUp, old.dataset.every * 1000, name);
  // Nobody looks, or somebody is about to use a link in it.
  if (document.hidden || old.contains(document.activeElement)) return;
  const { at } = old.dataset;
  const made = await fetched(at || location.href, at ? "" : name).catch(() => null);
  if (made && part(name) && made.dataset.part === name && made.textContent !== part(name).textContent) {
    part(name).replaceWith(made);
  }
}

for (const element of all("[data-every]")) setTimeout(keepUp, element.dataset.every * 1000, element.dataset.part);

for (const button of all("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const { textContent } = button;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = textContent), 2000);
  });
}
