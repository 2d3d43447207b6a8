/*
 * The TinyTrail tracker. Installation, options and what is sent: docs/tracker.md.
 *
 *   <script defer data-id="WEBSITE UUID" src="https://stats.example.com/js/tracker.js"></script>
 *
 * This is the readable source. What is served is tracker.min.js beside it, at most 1,000 bytes gzipped. It reads and
 * writes no cookie and no storage, and asks the browser for nothing but the address of the page, where its reader came
 * from, and the size of the window. Language: ES2017; what an older browser lacks is left out, never an error.
 */
((document, location) => {
  // A page that has the snippet twice, in its template and in a tag manager, is counted once.
  if (window.tinytrail && window.tinytrail.track) return;

  const script = document.currentScript || {}; // a module has none
  const options = script.dataset || {};
  // Also a page without a host, from a file, is somebody's own.
  const reason = !options.id
    ? "no data-id"
    : options.local == null && /^(127\.[\d.]+|\[::1]|(.*\.)?localhost|)$/.test(location.hostname)
      ? "localhost, no data-local"
      : "";

  let page; // the path last counted; unset before the first page view
  let url = document.referrer; // the address last counted; before the first page view, where the reader came from
  let referrer; // the address counted before that one
  let mark; // the scroll mark to reach next, in quarters of the way; 4 when all are sent
  let isOpen; // a page view whose close_tab is still to come

  function send(type, properties) {
    // Counting must never break what it counts: properties may be circular, the browser old.
    try {
      if (reason || window.tinytrailOff) return;
      const endpoint = new URL("../api/v1/collect", script.src);
      const body = JSON.stringify({
        website_id: options.id,
        event_type: type,
        url,
        path: page,
        referrer,
        screen_width: innerWidth,
        screen_height: innerHeight,
        properties,
      });
      const post = () => {
        // A string is sent as text/plain, which needs no preflight.
        if (!navigator.sendBeacon || !navigator.sendBeacon(endpoint, body)) {
          fetch(endpoint, { method: "POST", body, keepalive: true }).catch(() => 0);
        }
      };
      // A prerendered page may never be seen: what happens on it waits until it is shown.
      if (document.prerendering) on("prerenderingchange", post);
      else post();
    } catch (error) {
      console.warn(error);
    }
  }

  // Counts the page unless it is the one last counted. Only with data-hash is the fragment part of the path.
  function view() {
    const path = (location.pathname + (options.hash == null ? "" : location.hash)).split("?")[0];
    if (path == page) return;
    page = path;
    referrer = url;
    url = location.href.split("#")[0];
    mark = isOpen = 1;
    send("page_view");
  }

  function leave() {
    if (isOpen) send("close_tab");
    isOpen = 0;
  }

  // What a reader does belongs to a page view, also what is done before the page is ready.
  function act(type, properties) {
    view();
    send(type, properties);
  }

  // Every event passes the window on its way down, also those that do not bubble up.
  const on = (types, listener) => types.split(" ").forEach((type) => addEventListener(type, listener, true));

  window.tinytrail = {
    track: (name, properties) => act("custom", Object.assign({}, properties, { event_name: name })),
  };
  window.analytics = window.analytics || window.tinytrail;

  if (reason) console.info("TinyTrail is off: " + reason);

  ["pushState", "replaceState"].forEach((name) => {
    const original = history[name];
    history[name] = (...args) => {
      original.apply(history, args);
      view();
    };
  });
  on("DOMContentLoaded popstate", view);
  on("pageshow", (event) => {
    // Back from the back-forward cache: the same document is looked at anew.
    if (event.persisted) page = 0;
    view();
  });
  on("visibilitychange", () => {
    if (document.hidden) leave();
  });
  on("pagehide", leave); // some Safaris hide a page that is left without saying so
  on("scroll", () => {
    // The share of the way from the top to the end, so that a page that fits the window has no marks to reach.
    const way = document.documentElement.scrollHeight - innerHeight;
    while (mark < 4 && way > 0 && 4 * scrollY >= mark * way) send("scroll_" + 25 * mark++);
  });
  on("click auxclick", (event) => {
    // The path of the event sees into components. Button 1 is the middle one, 2 opens a menu.
    const link = event.composedPath && event.composedPath().find((node) => /^http/.test(node.protocol));
    if (link && link.host != location.host && event.button < 2) act("outbound_link", { href: link.href });
  });

  if (document.readyState != "loading") view();
})(document, location);
