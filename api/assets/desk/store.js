// What this browser keeps until the server has it: unfinished ballots and finished entries, encrypted under a key that
// the server gives to whoever is signed in and that stays in memory only. A tablet that is taken away holds ciphertext.

const NAME = "phieu-desk";
const text = new TextEncoder();

export const isPossible = () =>
  Boolean(globalThis.isSecureContext && globalThis.indexedDB && globalThis.crypto?.subtle && navigator.locks);

const asked = (request) => new Promise((done, fail) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});

function database() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("meta");
    request.result.createObjectStore("unfinished");
    request.result.createObjectStore("queue", { autoIncrement: true });
  };
  return asked(request);
}

function bytes(base64url) {
  const plain = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

async function keys(secret) {
  const base = await crypto.subtle.importKey("raw", bytes(secret), "HKDF", false, ["deriveKey"]);
  const from = (info) => ({ name: "HKDF", hash: "SHA-256", salt: text.encode("phieu/desk/v1"), info: text.encode(info) });
  const seal = crypto.subtle.deriveKey(from("seal"), base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const name = crypto.subtle.deriveKey(from("name"), base, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]);
  return Promise.all([seal, name]);
}

export class Store {
  static async open() {
    const store = new Store();
    store.db = await database();
    const { meta } = store.stores("readwrite", ["meta"]);
    store.number = await asked(meta.get("number"));
    if (!store.number) {
      store.number = crypto.randomUUID();
      await store.write("meta", (meta) => meta.put(store.number, "number"));
    }
    return store;
  }

  async unlock({ key, clerk }) {
    [this.seal, this.name] = await keys(key);
    this.clerk = clerk;
  }

  get isOpen() { return this.seal !== undefined; }

  stores(mode, names, durability = "relaxed") {
    const transaction = this.db.transaction(names, mode, { durability });
    return Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
  }

  // Resolves when it is on the disk.
  write(name, work, durability) {
    return new Promise((done, fail) => {
      const transaction = this.db.transaction([name], "readwrite", { durability });
      const request = work(transaction.objectStore(name));
      transaction.oncomplete = () => done(request?.result);
      transaction.onerror = () => fail(transaction.error);
      transaction.onabort = () => fail(transaction.error);
    });
  }

  async sealed(value) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const body = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, this.seal, text.encode(JSON.stringify(value)));
    return { iv, body, clerk: this.clerk };
  }

  // Undefined for what another person sealed.
  async opened(record) {
    if (!record) return undefined;
    try {
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: record.iv }, this.seal, record.body);
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      return undefined;
    }
  }

  // A ballot's place here: it leads neither to the code nor to the ballot.
  async place(mark) {
    const name = new Uint8Array(await crypto.subtle.sign("HMAC", this.name, text.encode(mark)));
    return Array.from(name.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  async keep(place, value) {
    const record = await this.sealed(value);
    await this.write("unfinished", (all) => all.put(record, place));
  }

  async kept(place) {
    return this.opened(await asked(this.stores("readonly", ["unfinished"]).unfinished.get(place)));
  }

  forget(place) {
    return this.write("unfinished", (all) => all.delete(place));
  }

  // A finished entry: from here on it does not change, and it is on the disk when this resolves.
  async enqueue(command) {
    const record = await this.sealed(command);
    return this.write("queue", (queue) => queue.add(record), "strict");
  }

  // A refused command stays, with the refusal, until somebody has read it.
  async settle(id, command) {
    if (!command) return this.write("queue", (queue) => queue.delete(id));
    const record = await this.sealed(command);
    return this.write("queue", (queue) => queue.put(record, id), "strict");
  }

  // Whether the server has everything that this person's entries here say.
  async isEmpty() {
    const { unfinished } = this.stores("readonly", ["unfinished"]);
    const [records, { own }] = await Promise.all([asked(unfinished.getAll()), this.commands()]);
    const kept = await Promise.all(records.map((record) => this.opened(record)));
    return own.length === 0 && kept.every((one) => !one || one.sent);
  }

  // In the order in which they were finished: this person's commands, and how many others keep here.
  async commands() {
    const { queue } = this.stores("readonly", ["queue"]);
    const [ids, records] = await Promise.all([asked(queue.getAllKeys()), asked(queue.getAll())]);
    const opened = await Promise.all(records.map((record) => this.opened(record)));
    const own = opened.map((command, n) => ({ id: ids[n], command })).filter(({ command }) => command);
    const others = records.filter((_, n) => opened[n] === undefined).map((record) => record.clerk);
    return { own, others };
  }
}
