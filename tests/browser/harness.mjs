// What the browser's tests stand on: the demo, a field of rounds, the browser, named checks, and the audit of every page.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const BINARY = resolve(process.env.PHIEU_BINARY ?? "target/debug/phieu");
const SCREENSHOTS = process.env.SCREENSHOTS;
const SIZES = [[360, 740], [1280, 900]];
const READY_WITHIN_MS = 120_000;

let passed = 0;
let failed = 0;

// One named check. The journey goes on after a failure; what builds on it says so by failing too.
export async function check(name, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok ${passed + failed} - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${passed + failed} - ${name}`);
    console.log(String(error.message ?? error).split("\n").slice(0, 12).map((line) => `    ${line}`).join("\n"));
  }
}

export function summary() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

// Clicks. Without scripts the browser gives no animation frames, and the wait for a still element would never end.
const unmoved = (locator) => ({ force: locator.page().context().scriptless === true });
export const press = (locator) => locator.click(unmoved(locator));
export const choose = (locator) => locator.check(unmoved(locator));

// Asks again until the answer is truthy.
export async function eventually(what, ask, withinMs = 10_000) {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

function environment(more = {}) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("PHIEU_"));
  return { ...Object.fromEntries(own), RUST_BACKTRACE: "0", ...more };
}

// `phieu demo` in a folder of its own.
export class Demo {
  static async start(ballots) {
    const demo = new Demo();
    demo.folder = mkdtempSync(join(tmpdir(), "phieu-journey-"));
    demo.data = join(demo.folder, "demo");
    const words = ["demo", "--listen", "127.0.0.1:0", "--data", demo.data, "--ballots", String(ballots)];
    demo.process = spawn(BINARY, words, { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
    demo.said = "";
    demo.process.stdout.on("data", (bytes) => { demo.said += bytes; });
    demo.process.stderr.on("data", (bytes) => { demo.said += bytes; });
    demo.process.on("exit", (code) => { demo.ended = `the demo ended with ${code}: ${demo.said}`; });
    await eventually("the demo is ready", async () => {
      if (demo.ended) throw new Error(demo.ended);
      try {
        Object.assign(demo, JSON.parse(readFileSync(join(demo.data, "demo.json"), "utf8")));
        return (await fetch(`${demo.base_url}/readyz`)).ok;
      } catch {
        return false;
      }
    }, READY_WITHIN_MS);
    return demo;
  }

  // A command on the demo's database; it must succeed.
  command(...words) {
    const env = environment({ PHIEU_DATABASE_URL: `sqlite://${join(this.data, "phieu.db")}` });
    const done = spawnSync(BINARY, words, { env, encoding: "utf8", cwd: this.folder });
    assert.equal(done.status, 0, `phieu ${words.join(" ")}: ${done.stdout}${done.stderr}`);
    return done.stdout;
  }

  // A code of this group that the journey has not used.
  code(group) {
    const code = this.codes[group]?.shift();
    assert.ok(code, `demo.json names no more codes of ${group}`);
    return code;
  }

  staffed(role, nth = 0) {
    const found = this.staff.filter((one) => one.role === role)[nth];
    assert.ok(found, `demo.json names no ${role} number ${nth + 1}`);
    return found;
  }

  async token() {
    this.bearer ??= this.asked();
    return this.bearer;
  }

  async asked() {
    const body = new URLSearchParams({ grant_type: "client_credentials", ...this.client });
    const answer = await fetch(`${this.base_url}/api/v1/oauth/token`, { method: "POST", body });
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()).access_token;
  }

  async api(path) {
    return fetch(`${this.base_url}/api/v1${path}`, { headers: { authorization: `Bearer ${await this.token()}` } });
  }

  async stop() {
    if (!this.ended) {
      this.process.kill("SIGTERM");
      await eventually("the demo ends", () => this.ended, 15_000).catch(() => this.process.kill("SIGKILL"));
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const ROUNDS = resolve("survey-forms/rounds");
const DAY_MS = 86_400_000;

// A database of its own with rounds made by the program's commands, and the service on it.
export class Field {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "phieu-field-"));
    this.codes = {};
    this.command("migrate");
  }

  command(words, input) {
    const env = environment({ PHIEU_DATABASE_URL: `sqlite://${join(this.folder, "phieu.db")}` });
    const done = spawnSync(BINARY, [words].flat(), { env, encoding: "utf8", cwd: this.folder, input });
    assert.equal(done.status, 0, `phieu ${words}: ${done.stdout}${done.stderr}`);
    return done.stdout;
  }

  // Loads a copy of the plan's round with its dates around now, opened by hand; `wanted` is a list of group, unit and
  // how many codes. An end and a beginning are days from now; `more` are further lines about dates; `of` is another
  // round to copy, and `mend` what else becomes of its `round.toml`.
  round(id, [opens, closes], wanted, { more = {}, of = "quang-nam-2023", mend = (text) => text } = {}) {
    const folder = join(this.folder, id);
    cpSync(join(ROUNDS, of), folder, { recursive: true });
    const moment = (days) => new Date(Date.now() + days * DAY_MS).toISOString().replace(/\.\d+Z$/, "+00:00");
    const dates = { opens: moment(opens), closes: moment(closes), keying_closes: moment(closes + 5), publishes: moment(closes + 10) };
    const lines = mend(readFileSync(join(folder, "round.toml"), "utf8")).split("\n").map((line) => {
      const key = line.split(" = ")[0];
      if (line === "[dates]") return [line, ...Object.entries(more).map((one) => one.join(" = "))].join("\n");
      return key === "id" ? `id = "${id}"` : dates[key] ? `${key} = ${dates[key]}` : line;
    });
    writeFileSync(join(folder, "round.toml"), lines.join("\n"));
    this.command(["round", "load", folder]);
    this.command(["box", "keygen", id, "--out", `${folder}.key`]);
    for (const [group, unit, count] of wanted) {
      const file = `${folder}-${Object.keys(this.codes).length}.csv`;
      this.command(["codes", "issue", id, "--group", group, ...(unit ? ["--unit", unit] : []), "--count", String(count), "--out", file]);
      this.codes[`${id} ${group}`] = readFileSync(file, "utf8").match(/,[0-9A-Z]{4}(-[0-9A-Z]{4}){5},/g).map((cell) => cell.slice(1, -1));
    }
    this.command(["round", "open", id]);
  }

  // A code of this round and group that nothing has used yet.
  code(group, id = "dang-mo") {
    const code = this.codes[`${id} ${group}`]?.shift();
    assert.ok(code, `no more codes of ${group} in ${id}`);
    return code;
  }

  // How many ballots of the round are in the box.
  returned(id = "dang-mo") {
    return Number(/^total\s.*returned\s+(\d+)/m.exec(this.command(["rates", id]))[1]);
  }

  async serve() {
    const env = environment({ PHIEU_DATABASE_URL: `sqlite://${join(this.folder, "phieu.db")}`, PHIEU_LISTEN: "127.0.0.1:0", PHIEU_LOG_FORMAT: "json" });
    this.process = spawn(BINARY, ["serve"], { env, cwd: this.folder, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    this.process.stderr.on("data", (bytes) => { said += bytes; });
    this.process.on("exit", (code) => { this.ended = `the service ended with ${code}: ${said}`; });
    await eventually("the service is ready", () => {
      if (this.ended) throw new Error(this.ended);
      this.port ??= /"message":"ready".*?"port":(\d+)/.exec(said)?.[1] ?? /"port":(\d+).*?"message":"ready"/.exec(said)?.[1];
      return this.port;
    }, READY_WITHIN_MS);
    this.base = `http://127.0.0.1:${this.port}`;
    return this;
  }

  async stop() {
    if (this.process && !this.ended) {
      this.process.kill("SIGTERM");
      await eventually("the service ends", () => this.ended, 15_000).catch(() => this.process.kill("SIGKILL"));
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// What one page asks of the network, as served: bytes of bodies and heads, gzip where it is offered.
export function fetched(url, { cookie } = {}) {
  const headers = { "accept-encoding": "gzip", ...(cookie ? { cookie } : {}) };
  return new Promise((done, fail) => {
    get(url, { headers }, (answer) => {
      const parts = [];
      answer.on("data", (bytes) => parts.push(bytes));
      answer.on("end", () => {
        const sent = Buffer.concat(parts);
        const body = answer.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
        const head = answer.rawHeaders.reduce((sum, text) => sum + text.length + 2, 17);
        done({ status: answer.statusCode, bytes: sent.length + head, body, text: body.toString("utf8"), headers: answer.headers });
      });
    }).on("error", fail);
  });
}

// The browser, and what its pages must never do: complain, or ask another host.
export class Browser {
  static async launch(base) {
    const browser = new Browser();
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    browser.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
    browser.base = base;
    browser.complaints = [];
    browser.strangers = [];
    browser.audited = new Set();
    return browser;
  }

  // A device of its own: nothing shared with any other.
  async device({ width = 360, height = 740, scripts = true, state, touch = false } = {}) {
    const context = await this.chromium.newContext({
      viewport: { width, height }, javaScriptEnabled: scripts, storageState: state, hasTouch: touch, locale: "vi-VN",
      // A page that still scrolls by itself moves what is about to be pressed.
      reducedMotion: "reduce",
    });
    context.setDefaultTimeout(30_000);
    context.scriptless = !scripts;
    const page = await context.newPage();
    page.on("console", (message) => {
      // A refusal's own status is no complaint of the page.
      const status = /Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
      if (message.type() === "error" && !status) this.complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`${page.url()}: ${error.message}`));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${this.base}/`) && !url.startsWith("data:")) this.strangers.push(url);
    });
    return page;
  }

  // Every page, in each size and both colour schemes: no violation, nothing beyond the edge of the screen. With `look`,
  // a further look at each size: a function run in the page that gives back what is wrong.
  async audit(page, name, { sizes = SIZES, look } = {}) {
    const size = page.viewportSize();
    await check(`axe finds nothing on ${name}, ${sizes.map(([width]) => width).join(", ")} px, light and dark`, async () => {
      const found = [];
      for (const [width, height] of sizes) {
        await page.setViewportSize({ width, height });
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          // Half a megabyte, so once for each document.
          if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
          const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
          for (const violation of result.violations) {
            const places = violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ");
            found.push(`${width} ${colorScheme}: ${violation.id}: ${places}: ${violation.nodes[0].failureSummary}`);
          }
          assert.ok(result.testEngine.version, "axe ran");
          if (SCREENSHOTS) {
            mkdirSync(SCREENSHOTS, { recursive: true });
            const file = `${String(this.audited.size).padStart(2, "0")}-${name.replace(/[^\p{L}\p{N}]+/gu, "-")}`;
            await page.screenshot({ path: join(SCREENSHOTS, `${file}-${width}-${colorScheme}.png`), fullPage: true });
          }
        }
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);
        if (beyond > 0) found.push(`${width}: ${beyond} px beyond the edge`);
        if (look) found.push(...(await page.evaluate(look)).map((fault) => `${width}: ${fault}`));
      }
      assert.deepEqual(found, []);
    });
    this.audited.add(name);
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(size);
  }

  // What a page costs whoever opens it first on a device, with the cookies of `state`.
  async weigh(path, state) {
    const page = await this.device({ state });
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    const [requests, scripts] = [new Map(), new Map()];
    session.on("Network.responseReceived", ({ requestId, response, type }) => {
      if (response.url.startsWith("data:")) return;
      requests.set(requestId, { url: response.url, bytes: 0 });
      if (type === "Script") scripts.set(requestId, response.url);
    });
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      if (requests.has(requestId)) requests.get(requestId).bytes = encodedDataLength;
    });
    await page.goto(`${this.base}${path}`, { waitUntil: "networkidle" });
    const landed = new URL(page.url()).pathname;
    const shift = await page.evaluate(() => new Promise((done) => {
      let sum = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => { sum += entry.value; }))
        .observe({ type: "layout-shift", buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
    }));
    let script = await page.evaluate(() => [...document.scripts].reduce((sum, one) => sum + new TextEncoder().encode(one.text).length, 0));
    for (const id of scripts.keys()) script += Buffer.byteLength((await session.send("Network.getResponseBody", { requestId: id })).body);
    const bytes = [...requests.values()].reduce((sum, request) => sum + request.bytes, 0);
    await page.context().close();
    return { landed, bytes, requests: requests.size, script, shift, urls: [...requests.values()].map((r) => r.url) };
  }

  // Each page holds what a respondent's page may cost.
  async weights(state, paths) {
    for (const path of paths) {
      await check(`${path} weighs at most 14 kB in 3 requests, 3 kB of scripts, and does not shift`, async () => {
        const cost = await this.weigh(path, state);
        assert.equal(cost.landed, path.split("?")[0]);
        assert.ok(cost.bytes > 0 && cost.bytes <= 14_000, `${cost.bytes} bytes: ${cost.urls}`);
        assert.ok(cost.requests <= 3, `${cost.requests} requests: ${cost.urls}`);
        assert.ok(cost.script <= 3_000, `${cost.script} bytes of scripts`);
        assert.equal(cost.shift, 0, "layout shift");
      });
    }
  }
}
