/*
 * The TinyTrail tracker. Installation, options and what is sent: docs/tracker.md.
 *
 *   <script defer data-id="WEBSITE UUID" src="https://stats.example.com/js/tracker.js"></script>
 *
 * This is the readable source. What is served is tracker.min.js beside it, at most 1,000 bytes gzipped. It reads and
 * writes no cookie and no storage, and asks the browser for nothing but the address of the page, where its reader came
 * from, and the size of the window. Language: ES2017; what an older browser lacks is left out, never an error.
 */
(function (document, location) {
  // A page that has the snippet twice, in its template and in a tag manager, is counted once.
  if (window.tinytrail && window.tinytrail.track) return;

  // A module has no currentScript.
  const script = document.currentScript || document.querySelector("script[data-id]");
  const options = script ? script.dataset : {};
  const reason = !options.id
    ? "no data-id"
    : options.local == null && /^(127\..*|\[::1]|(.*\.)?localhost|)$/.test(location.hostname)
      ? "localhost without data-local"
      : "";

  let page; // the path last counted; unset before the first page view
  let url = document.referrer; // the address last counted; before the first page view, where the reader came from
  let referrer; // the address counted before that one
  let mark; // the scroll mark to reach next, in quarters of the way; 4 when all are sent
  let isOpen; // a page view whose close_tab is still to come

  // Every event passes the window on its way down, also those that do not bubble up.
  const on = (types, listener) => types.split(" ").forEach((type) => addEventListener(type, listener, true));
  const address = () => location.href.split("#")[0];
  // Only with data-hash is the fragment part of the path; the fragment's own query stays out.
  const path = () => (location.pathname + (options.hash == null ? "" : location.hash)).split("?")[0];

  function send(type, properties) {
    // Counting must never break what it counts: properties may be circular, the browser old.
    try {
      if (reason || window.tinytrailOff) return;
      const endpoint = new URL("../api/v1/collect", script.src);
      const body = JSON.stringify({
        website_id: options.id,
        event_type: type,
        url: address(),
        path: path(),
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

  function view(event) {
    // Back from the back-forward cache: the same document is looked at anew.
    if (page == path() && !event.persisted) return;
    page = path();
    referrer = url;
    url = address();
    mark = isOpen = 1;
    send("page_view");
  }

  window.tinytrail = {
    track(name, properties) {
      send("custom", Object.assign({}, properties, { event_name: name }));
    },
  };
  window.analytics = window.analytics || window.tinytrail;

  if (reason) console.info("TinyTrail is off: " + reason);

  ["pushState", "replaceState"].forEach((name) => {
    const original = history[name];
    history[name] = function () {
      original.apply(this, arguments);
      view(arguments);
    };
  });
  on("DOMContentLoaded popstate hashchange pageshow", view);
  on("visibilitychange pagehide", (event) => {
    if (document.hidden || event.type < "q") {
      if (isOpen) send("close_tab");
      isOpen = 0;
    }
  });
  on("scroll", () => {
    const box = document.scrollingElement || document.body;
    const way = box.scrollHeight - box.clientHeight;
    while (mark < 4 && way > 0 && 4 * box.scrollTop >= mark * way) send("scroll_" + 25 * mark++);
  });
  on("click auxclick", (event) => {
    // The path of the event sees into components. Button 1 is the middle one, 2 opens a menu.
    const link = event.composedPath && event.composedPath().find((node) => /^http/.test(node.protocol));
    if (link && link.host != location.host && event.button < 2) send("outbound_link", { href: link.href });
  });

  if (document.readyState != "loading") view(script);
})(document, location);
