// Finished entries on their way to the server, one after the other. A command is sent until it is answered; the same key
// goes with it each time, so it counts once.

const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15_000];
const LONGEST_MS = 20_000;

export class Queue {
  // `changed` is told after each step: { waiting, refused, others, offline, signedOut, last }.
  constructor(store, api, changed) {
    Object.assign(this, { store, api, changed, tries: 0, offline: false, signedOut: false, last: null });
    addEventListener("online", () => this.kick());
  }

  async add(command) {
    await this.store.enqueue(command);
    this.kick();
  }

  async read(id) {
    const { own } = await this.store.commands();
    const found = own.find((one) => one.id === id);
    await this.store.settle(id);
    if (found) await this.release(found.command);
    await this.tell();
  }

  async tell() {
    const { own, others } = await this.store.commands();
    const refused = own.filter(({ command }) => command.refused);
    const { offline, signedOut, last } = this;
    this.changed({ waiting: own.length - refused.length, refused, others, offline, signedOut, last });
  }

  // Sends what waits; a second call while one is at work makes that one look again at once.
  kick() {
    this.again = true;
    this.wake?.();
    this.work ??= this.run().finally(() => {
      this.work = undefined;
      if (this.again) this.kick();
    });
  }

  async run() {
    while (this.again) {
      this.again = false;
      const { own } = await this.store.commands();
      const next = own.find(({ command }) => !command.refused);
      await this.tell();
      if (!next) return;
      const wait = await this.send(next);
      this.again = true;
      await this.tell();
      if (this.signedOut) {
        this.again = false;
        return;
      }
      if (wait > 0) await this.sleep(wait);
    }
  }

  sleep(ms) {
    return new Promise((done) => {
      const timer = setTimeout(done, ms);
      this.wake = () => { clearTimeout(timer); done(); };
    });
  }

  post(path, body, headers = {}) {
    return fetch(`${this.api}${path}`, {
      method: "POST", cache: "no-store", signal: AbortSignal.timeout(LONGEST_MS),
      headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body),
    });
  }

  // How long to wait before the next try, in milliseconds.
  async send({ id, command }) {
    const { key, label, ...body } = command;
    let answer;
    let said = {};
    try {
      answer = await this.post("/entries", body, { "idempotency-key": key });
      said = await answer.json().catch(() => ({}));
    } catch {
      return this.later();
    }
    this.offline = false;
    if (answer.status === 401) {
      this.signedOut = true;
      return 0;
    }
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
      return this.later(Number(answer.headers.get("retry-after")) * 1000);
    }
    this.tries = 0;
    if (answer.ok) {
      await this.store.settle(id);
      this.last = { label, state: said.state, disputed: said.disputed, pass: command.pass };
    } else {
      await this.store.settle(id, { ...command, refused: said.title ?? `HTTP ${answer.status}` });
      await this.release(command);
    }
    return 0;
  }

  later(atLeastMs = 0) {
    this.offline = true;
    this.tries += 1;
    return Math.max(atLeastMs || 0, WAITS_MS[Math.min(this.tries, WAITS_MS.length) - 1]);
  }

  // The bundle may close again; if this is lost, the next sign-in on this browser says it.
  async release({ code }) {
    await this.post("/releases", { code, desk: this.store.number }).catch(() => undefined);
  }

  // Of this person, whatever it held when it was closed or crashed.
  async holdNothing() {
    await this.post("/releases", { desk: this.store.number }).catch(() => undefined);
  }
}
