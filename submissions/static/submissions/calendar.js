/*
 * What readers of the public calendar do with events, told to this server's own routes (contract 3.6).
 *
 * It reads and writes no cookie and no storage, so the calls have no session: sessionId is null. Without it the page
 * works the same. Visits are counted by the tracker beside it.
 */
(() => {
  const RANGES = { date_range: ["from", "to"], price_range: ["price_from", "price_to"], age_range: ["age_from", "age_to"] };
  const NAMES = ["day_night", "arrondissement", "genre", "nationality", "venue_type", "venue_setting", "oooc_pick"];

  function post(path, given) {
    const body = JSON.stringify({ ...given, sessionId: null, path: location.pathname });
    const blob = new Blob([body], { type: "application/json" });
    if (navigator.sendBeacon && navigator.sendBeacon(path, blob)) return;
    fetch(path, { method: "POST", body: blob, keepalive: true }).catch(() => {});
  }

  const main = document.getElementById("main");
  const eventKey = main && main.dataset.event;

  function engage(actionType, source) {
    if (eventKey) post("/api/track", { eventKey, actionType, source: source.slice(0, 80), isAuthenticated: false });
  }

  function discover(actionType, given) {
    post("/api/track/discovery", { actionType, filterGroup: null, filterValue: null, searchQuery: null, ...given });
  }

  // The page of an event was opened. One that is prerendered may never be.
  const opened = () => engage("click", "event_open");
  if (document.prerendering) document.addEventListener("prerenderingchange", opened, { once: true });
  else opened();

  function act(event) {
    const link = event.target.closest("a");
    if (!link || event.button > 1) return;
    if ("outbound" in link.dataset) engage("outbound_click", link.textContent.trim());
    if ("sync" in link.dataset) engage("calendar_sync", "event_page_calendar_sync");
    if (link.dataset.clear === "q") discover("filter_clear", { filterGroup: "search", searchQuery: link.dataset.value.slice(0, 280) });
    else if (link.dataset.clear) discover("filter_clear", { filterGroup: link.dataset.clear, filterValue: link.dataset.value.slice(0, 120) });
  }
  addEventListener("click", act, true);
  addEventListener("auxclick", act, true);

  // The search and the filters of an address or of the form, under the contract's names.
  function asked(source) {
    const of = (name) => (source.get(name) || "").trim();
    const filters = {};
    for (const name of NAMES) if (of(name)) filters[name] = of(name);
    for (const [group, [first, last]] of Object.entries(RANGES)) {
      if (of(group)) filters[group] = of(group);
      else if (of(first) || of(last)) filters[group] = `${of(first) || "any"}:${of(last) || "any"}`;
    }
    if (of("age")) filters.age_range = `${of("age")}:${of("age")}`;
    return { query: of("q"), filters };
  }

  const form = document.querySelector("form[data-discovery]");
  if (form) {
    form.addEventListener("submit", () => {
      // Only what is new: the page has told of the rest before.
      const before = asked(new URLSearchParams(location.search));
      const after = asked(new FormData(form));
      if (after.query.length > 1 && after.query !== before.query) discover("search", { searchQuery: after.query });
      for (const [filterGroup, filterValue] of Object.entries(after.filters)) {
        if (before.filters[filterGroup] !== filterValue) {
          discover("filter_apply", { filterGroup, filterValue: filterValue.slice(0, 120), searchQuery: after.query || null });
        }
      }
      for (const [filterGroup, filterValue] of Object.entries(before.filters)) {
        if (!(filterGroup in after.filters)) {
          discover("filter_clear", { filterGroup, filterValue: filterValue.slice(0, 120) });
        }
      }
    });
    // A long address of empty fields helps nobody.
    form.addEventListener("formdata", (event) => {
      for (const name of [...event.formData.keys()]) if (!event.formData.get(name)) event.formData.delete(name);
    });
  }
})();
