// Every call of @openpanel/sdk that the contract lists (7.1), each with what it returned and how long it took.
import { OpenPanel } from "@openpanel/sdk";

const print = (value) => console.log(JSON.stringify(value));
const open = (more) =>
  new OpenPanel({ clientId: given.id, clientSecret: given.secret, apiUrl: given.url, ...more });

async function timed(call, name) {
  const began = performance.now();
  const returned = await call();
  print({ name, returned: returned ?? null, milliseconds: performance.now() - began });
}

const op = open();
op.setGlobalProperties({ app: "shop" });
await timed(() => op.track("my_event", { foo: "bar", list: [1, "2", { a: null }], nothing: null, gone: undefined }), "track");
print({ name: "ids", returned: [op.getDeviceId(), op.getSessionId()], milliseconds: 0 });
await timed(() => op.identify({ profileId: "123" }), "remember");
await timed(() => op.track("known"), "known");
await timed(
  () => op.identify({ profileId: "123", firstName: "Joe", lastName: "Doe", email: "joe@doe.com", properties: { tier: "premium" } }),
  "identify",
);
await timed(() => op.increment({ profileId: "123", property: "visits", value: 5 }), "increment");
await timed(() => op.decrement({ profileId: "123", property: "visits" }), "decrement");
await timed(() => op.setGroup("org1"), "setGroup");
await timed(() => op.upsertGroup({ id: "org1", type: "company", name: "Acme", properties: { plan: "pro" } }), "upsertGroup");
await timed(() => op.track("grouped"), "grouped");
await timed(() => op.setGroups(["org2", "org3"]), "setGroups");
await timed(() => op.revenue(1000, { deviceId: "devX", product: "a" }), "revenue");
await timed(() => op.alias({ profileId: "123", alias: "a1" }), "alias");
await timed(() => op.fetchDeviceId(), "fetchDeviceId");
op.clear();
await timed(() => op.track("cleared"), "cleared");

// What is queued is sent with the time at which it happened.
const queued = open({ disabled: true });
const before = new Date().toISOString();
await queued.track("queued", { n: 1 });
queued.ready();
print({ name: "queued", returned: before, milliseconds: 0 });

const wrong = open({ clientSecret: "sec_wrong" });
await timed(() => wrong.track("never"), "wrong secret");

const slashed = open({ apiUrl: `${given.url}/` });
await timed(() => slashed.track("slashed"), "address with a slash");

// As a browser would, without a browser.
const visitor = new OpenPanel({ clientId: given.id, apiUrl: given.url });
visitor.api.addHeader("origin", given.origin);
visitor.api.addHeader("user-agent", given.agent);
visitor.api.addHeader("x-client-ip", "203.0.113.7");
await timed(() => visitor.track("visitor"), "visitor");
