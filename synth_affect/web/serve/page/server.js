// Requests of the page: JSON and pictures, the key of the session, and what comes piece by piece.

let key = "";
let number = 0;

export class Gone extends Error {}
export class Superseded extends Error {}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (key) headers["X-Session"] = key;
  let reply;
  try {
    reply = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw new Superseded();
    throw new Error("The server does not answer. Is it still running?");
  }
  if (reply.ok) return reply;
  let reason = reply.statusText;
  try { reason = (await reply.json()).error || reason; } catch { /* a reply that is no JSON says what its status says */ }
  if (reply.status === 410) throw new Gone(reason);
  if (reply.status === 409) throw new Superseded(reason);
  throw new Error(reason);
}

const posted = (path, body, signal) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

export const setting = async () => (await ask("/setting")).json();

async function opened(reply) {
  const picture = await reply.json();
  end();
  key = picture.session;
  return picture;
}

export const open = async (file, name) =>
  opened(await ask("/picture", { method: "POST", headers: { "X-Name": encodeURIComponent(name) }, body: file }));

export const openExample = async () => opened(await posted("/example", {}));

export const photograph = async () => (await ask("/picture")).blob();

/** The pixels of what changes, and where they stand: [left, top, right, bottom] in the picture. */
export async function draw(asked, full, signal) {
  const reply = await posted("/draw", { ...asked, number: ++number, full }, signal);
  const place = reply.headers.get("X-Window").split(",").map(Number);
  return { place, image: await createImageBitmap(await reply.blob()) };
}

export const read = async (asked, signal) => (await posted("/read", { ...asked, number }, signal)).json();

/** A file to take home. tell(done, of) hears how far it is. */
export async function make(kind, asked, tell, signal) {
  const reply = await posted("/make/" + kind, { ...asked, number }, signal);
  const reader = reply.body.getReader();
  let pending = new Uint8Array(), head = null;
  const parts = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (head) { parts.push(value); continue; }
      pending = joined(pending, value);
      for (let end = pending.indexOf(10); end >= 0 && !head; end = pending.indexOf(10)) {
        const line = JSON.parse(new TextDecoder().decode(pending.subarray(0, end)));
        pending = pending.slice(end + 1);
        if (line.error) throw new Error(line.error);
        if (line.name) head = line; else tell(line.done, line.of);
      }
      if (head) parts.push(pending);
    }
  } catch (error) {
    if (error.name === "AbortError") throw new Superseded();
    throw error;
  }
  const content = new Blob(parts, { type: head ? head.type : "" });
  if (!head || content.size !== head.size) throw new Error("The file did not arrive whole. Try once more.");
  return { name: head.name, content };
}

function joined(one, other) {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

export const stay = () => key && posted("/alive", {});

/** Tells the server to forget the picture; works while the page is being closed, too. */
export function end() {
  if (key) navigator.sendBeacon("/close", key);
  key = "";
}
