// Keeps what is typed of the ballot in hand: here after each key, and at the server as fast as it answers; the newest
// state only. What is to be kept is asked for when its turn comes, so that a key waits for neither.

const RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
// Keys that follow each other faster than this go to the server together.
const BETWEEN_MS = 250;
const LONGEST_MS = 20_000;

const pause = (ms) => new Promise((go) => setTimeout(go, ms));

export class Saver {
  // `say` shows one of a few words beside the ballot; `number` is this browser's.
  constructor(store, api, place, { code, pass, number }, say) {
    Object.assign(this, { store, api, place, ballot: { code, pass }, number, say, stopped: false, words: "" });
  }

  show() { this.say(this.words); }

  tell(words) {
    this.words = words;
    this.show();
  }

  // `typed` gives { keys, effort } as they are when it is called.
  keep(typed) {
    this.here = typed;
    this.there = typed;
    this.writing ??= this.write().finally(() => { this.writing = undefined; });
    this.sending ??= this.send().finally(() => { this.sending = undefined; });
  }

  async write() {
    while (this.here && !this.stopped) {
      const typed = this.here();
      this.here = null;
      await this.store.keep(this.place, { ...typed, sent: false });
    }
  }

  async send() {
    for (let wait = RETRY_MS; this.there && !this.stopped;) {
      const typed = this.there();
      const sentAt = performance.now();
      this.there = null;
      const sent = await this.put({ keys: typed.keys });
      if (this.stopped) return;
      if (sent) {
        this.tell("● đã lưu");
        wait = RETRY_MS;
        await this.writing;
        if (!this.there && !this.stopped) await this.store.keep(this.place, { ...typed, sent: true });
        await pause(Math.max(0, sentAt + BETWEEN_MS - performance.now()));
      } else {
        this.tell("○ chưa có mạng: đã giữ trong máy này");
        this.there ??= () => typed;
        await pause(wait);
        wait = Math.min(wait * 2, LONGEST_RETRY_MS);
      }
    }
  }

  post(path, body, more) {
    return fetch(`${this.api}${path}`, {
      method: "POST", cache: "no-store", headers: { "content-type": "application/json" }, body: JSON.stringify(body), ...more,
    });
  }

  async put(more) {
    try {
      return (await this.post("/unfinished", { ...this.ballot, ...more }, { signal: AbortSignal.timeout(LONGEST_MS) })).ok;
    } catch {
      return false;
    }
  }

  stop() { this.stopped = true; }

  goOn() { this.stopped = false; }

  // Stops here. Everything is at the server, or at least in this browser; whether the server has it.
  async leave(typed) {
    this.stop();
    await this.writing;
    const sent = await this.put({ keys: typed.keys, left: this.number });
    await this.store.keep(this.place, { ...typed, sent });
    return sent;
  }

  // The page goes away in the middle of a ballot, and nothing may be waited for: what was typed goes to the server with
  // the news that this browser holds nothing more. If that does not get through, the browser's own copy counts.
  depart({ keys }) {
    this.stop();
    this.post("/unfinished", { ...this.ballot, keys, left: this.number }, { keepalive: true }).catch(() => undefined);
  }
}
