// The paper desk in a real Chromium: how many keys a ballot takes and how fast each is taken, and that nothing is lost or
// counted twice when the network, the browser or the service goes away. By keyboard alone.
//
//   CUT_SECONDS  how long the network is cut (5; the figure in the documentation is of 600)

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { BINARY, Browser, Demo, check, eventually, press, summary } from "./harness.mjs";
import { key, open, said, signIn, signInOn, titled } from "./paper.mjs";

const CUT_MS = 1000 * Number(process.env.CUT_SECONDS ?? 5);
const KEY_MS = 16;
const FINISH_MS = 300;
const BALLOTS = 3;
const SIZES = [[360, 740], [768, 1024], [1280, 900]];
const SINGLE = "LĐH-CH";
const MATRIX = "HĐ-CT";
const digit = (n) => `Digit${1 + (n % 6)}`;

const demo = await Demo.start(40);
const browser = await Browser.launch(demo.base_url);
const at = (path) => `${demo.base_url}${path}`;
let code = 200;
try {
  await desk();
} catch (error) {
  await check("the desk's checks reach their end", () => { throw error; });
} finally {
  await browser.chromium.close();
  await demo.stop();
  code = summary();
}
process.exit(code);

async function desk() {
  await speed();
  await keysOfTheirOwn();
  await aside();
  await closedTabs();
  await network();
  await twoTabs();
  await twoClerks();
  await replays();
  await plainBrowsers();
  await training();
  await killedBrowser();
  await killedService();
  await check("no page complained in its console", () => {
    // A service that is not there is said on the page.
    assert.deepEqual(browser.complaints.filter((text) => !/ERR_CONNECTION_|ERR_INTERNET_DISCONNECTED|503/.test(text)), []);
  });
  await check("no page asked another host for anything", () => assert.deepEqual(browser.strangers, []));
}

// From a key to the focus on what comes next, inside the page: from the moment the browser has the key, so that work which
// the key before has left behind counts too.
function watch(page) {
  return page.evaluate(() => {
    globalThis.taken = [];
    let pressed = 0;
    addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
    addEventListener("focusin", (event) => {
      if (pressed) globalThis.taken.push({ ms: performance.now() - pressed, box: event.target.id === "ma" });
      pressed = 0;
    }, true);
  });
}

async function speed() {
  const page = await signIn(demo, browser, "clerk", 0);
  await browser.audit(page, "the desk", { sizes: SIZES });
  await watch(page);
  const rank = (all, part) => all.sort((a, b) => a - b)[Math.floor((all.length - 1) * part)];
  const times = async (what) => {
    const taken = await page.evaluate(() => globalThis.taken.splice(0));
    const keys = taken.filter(({ box }) => !box).map(({ ms }) => ms);
    const finish = taken.filter(({ box }) => box).at(-1).ms;
    console.log(`# ${what}: key to next item p50 ${rank(keys, 0.5).toFixed(1)} ms, p95 ${rank(keys, 0.95).toFixed(1)} ms, p99 ${rank(keys, 0.99).toFixed(1)} ms; finished to code box ${finish.toFixed(1)} ms`);
    // A dozen keys have no twentieth part. Other work on the machine reaches p99 first: that is told, and not held.
    return { held: rank(keys, keys.length < 100 ? 0.5 : 0.95), finish };
  };
  await check("a ballot of ten items: one key an item, at most three more", async () => {
    await open(page, demo.code(SINGLE));
    await titled(page, "Lượt 1");
    const { items, stops } = await key(page, digit);
    console.log(`# ${SINGLE}: ${items} keys and ${stops} Enter`);
    assert.ok(items === 10 && stops <= 3);
    await said(page, /đã lưu lượt 1\.$/);
    const { held, finish } = await times(SINGLE);
    assert.ok(held <= KEY_MS && finish <= FINISH_MS, `${held} ms, ${finish} ms`);
  });
  await check("a ballot of 43 bodies and eight items: 344 keys and one Enter a body", async () => {
    // What else the machine does meanwhile is not the page's: of three ballots one must hold.
    for (let ballot = 1; ; ballot += 1) {
      await open(page, demo.code(MATRIX));
      await titled(page, "Lượt 1");
      const { items, stops } = await key(page, digit);
      console.log(`# ${MATRIX}: ${items} keys and ${stops} Enter`);
      assert.deepEqual({ items, stops }, { items: 344, stops: 43 });
      await said(page, /đã lưu lượt 1\.$/);
      const { held, finish } = await times(MATRIX);
      if (held <= KEY_MS && finish <= FINISH_MS) break;
      assert.ok(ballot < BALLOTS, `${held} ms, ${finish} ms`);
    }
  });
  await page.context().close();
}

function focused(page) {
  return page.evaluate(() => document.activeElement.name || document.activeElement.tagName);
}

function value(page, name) {
  return page.evaluate((name) => document.querySelector(`form[data-keying] [name="${name}"]`).value, name);
}

async function keysOfTheirOwn() {
  const page = await signIn(demo, browser, "clerk", 0);
  const paper = demo.code(SINGLE);
  await open(page, paper);
  await titled(page, "Lượt 1");
  await browser.audit(page, "the keying screen", { sizes: SIZES });
  await check("back, forward, a jump, and a key again in place of the first", async () => {
    for (const press of ["Digit1", "Numpad2", "Minus"]) await page.keyboard.press(press);
    assert.equal(await focused(page), "a1-2");
    await page.keyboard.press("Digit3");
    assert.equal(await value(page, "a1-2"), "3");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowDown");
    assert.equal(await focused(page), "a1-3");
    for (const press of ["NumpadAdd", "Digit7", "Enter"]) await page.keyboard.press(press);
    assert.equal(await focused(page), "a1-7");
  });
  await check("a letter and a key that the scale has not are refused where they are", async () => {
    for (const press of ["KeyA", "Digit9", "Digit0"]) await page.keyboard.press(press);
    assert.equal(await focused(page), "a1-7");
    assert.equal(await value(page, "a1-7"), "");
    assert.equal(await page.locator("dialog").count(), 0);
  });
  await check("a Vietnamese input method that takes the digit for a tone does no harm", async () => {
    const session = await page.context().newCDPSession(page);
    const ime = { type: "rawKeyDown", key: "Process", code: "Digit2", windowsVirtualKeyCode: 229 };
    await session.send("Input.dispatchKeyEvent", ime);
    await session.send("Input.insertText", { text: "2" });
    assert.equal(await value(page, "a1-7"), "2");
    assert.equal(await focused(page), "a1-8");
  });
  await check("F2 spreads the options out", async () => {
    await page.keyboard.press("F2");
    await page.locator("[data-options].spread").waitFor();
  });
  await browser.audit(page, "the keying screen with its options", { sizes: SIZES });
  await page.keyboard.press("F2");
  await check("F8 covers the ballot, and the same place comes back", async () => {
    await page.keyboard.press("F8");
    await page.locator("[data-resting]").waitFor();
    assert.equal(await page.locator("form[data-keying] input[data-of]:visible").count(), 0);
    await browser.audit(page, "a pause", { sizes: SIZES });
    await page.keyboard.press("Digit4");
    await page.keyboard.press("Enter");
    assert.equal(await focused(page), "a1-8");
  });
  await check("the stop line repeats the codes, and remarks once", async () => {
    for (const press of ["NumpadAdd", "Digit1", "Enter", "Digit1", "Digit3"]) await page.keyboard.press(press);
    for (let n = 0; n < 3; n += 1) await page.keyboard.press("Period");
    const stop = page.locator("[data-stop]:visible");
    await stop.waitFor();
    assert.match(await stop.textContent(), /1: 1 .*Đúng như trên phiếu\?.*Để trống liền 3 câu, từ câu 3\./s);
  });
  await browser.audit(page, "a stop line", { sizes: SIZES });
  await check("Esc stops and keeps what was typed", async () => {
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.activeElement?.id === "ma");
    await said(page, /đã dừng, dữ liệu được giữ/);
    // Another browser of the same person goes on there.
    const other = await signIn(demo, browser, "clerk", 0);
    await open(other, paper);
    await titled(other, "Lượt 1");
    assert.equal(await value(other, "a1-2"), "3");
    assert.equal(await value(other, "a1-7"), "2");
    assert.equal(await focused(other), "a1-6");
    await other.context().close();
  });
  await check("what the browser keeps does not read", async () => {
    const kept = await page.evaluate(async () => {
      const db = await new Promise((done) => { const r = indexedDB.open("phieu-desk"); r.onsuccess = () => done(r.result); });
      const all = (name) => new Promise((done) => { const r = db.transaction(name).objectStore(name).getAll(); r.onsuccess = () => done(r.result); });
      const texts = [];
      for (const record of [...await all("unfinished"), ...await all("queue")]) {
        texts.push(Object.keys(record).join(), new TextDecoder("latin1").decode(record.body));
      }
      return texts;
    });
    assert.ok(kept.length >= 2 && kept[1].length > 100, "the test looks where something is");
    for (const text of kept) assert.ok(!text.includes("a1-") && !text.includes(paper.slice(0, 9)));
  });
  await check("another clerk is shown nothing of it", async () => {
    const other = await signIn(demo, browser, "clerk", 1);
    await open(other, paper);
    await titled(other, "Lượt 1");
    assert.equal(await value(other, "a1-2"), "");
    await other.context().close();
  });
  await page.context().close();
}

async function aside() {
  const page = await signIn(demo, browser, "clerk", 1);
  const paper = demo.code(MATRIX);
  await check("F9 sets the paper in hand aside without a second scan, and leads back to the code box", async () => {
    await open(page, paper);
    await titled(page, "Lượt 1");
    await page.keyboard.press("Digit2");
    await page.context().setOffline(true);
    await page.keyboard.press("F9");
    await page.getByText("chưa mở được trang sự cố").waitFor();
    await page.context().setOffline(false);
    await page.keyboard.press("F9");
    await page.waitForFunction(() => document.activeElement?.id === "sc");
    await browser.audit(page, "a paper in hand that is set aside", { sizes: SIZES });
    await page.keyboard.type("Thiếu");
    for (const press of ["Tab", "Tab", "Enter"]) await page.keyboard.press(press);
    await said(page, "Đã để riêng tờ phiếu");
    await open(page, paper);
    await said(page, /để riêng/);
  });
  await page.context().close();
}

async function closedTabs() {
  const supervisor = await signIn(demo, browser, "supervisor", 0);
  // How many ballots browsers hold, as the supervisor sees it.
  const held = async () => {
    await supervisor.reload();
    const rows = await supervisor.locator("#may ~ .table-wrap tbody td.num").allTextContents();
    return rows.reduce((sum, text) => sum + Number(text), 0);
  };
  await check("a tab that is closed in the middle of a ballot holds it no longer, and what was typed is at the server", async () => {
    const before = await held();
    const page = await signIn(demo, browser, "clerk", 1);
    const paper = demo.code(MATRIX);
    await open(page, paper);
    await titled(page, "Lượt 1");
    await page.keyboard.press("Digit4");
    assert.equal(await held(), before + 1);
    await page.goto(at("/nhap-phieu/luyen-tap"));
    await eventually("it is given up", async () => (await held()) === before);
    await page.context().close();
    const other = await signIn(demo, browser, "clerk", 1);
    await open(other, paper);
    await titled(other, "Lượt 1");
    assert.equal(await value(other, "a1-1"), "4");
    await other.keyboard.press("Escape");
    await said(other, /đã dừng/);
    await other.context().close();
  });
  await supervisor.context().close();
}

async function network() {
  const page = await signIn(demo, browser, "clerk", 0);
  await open(page, demo.code(SINGLE));
  await titled(page, "Lượt 1");
  await check(`the network is cut for ${CUT_MS / 1000} s in the middle of a ballot: it is finished, and sent when it can be`, async () => {
    for (let n = 0; n < 3; n += 1) await page.keyboard.press(digit(n));
    await page.getByText("● đã lưu").waitFor();
    await page.context().setOffline(true);
    await key(page, digit, 3);
    await page.getByText("Chưa có mạng: 1 phiếu chờ gửi").waitFor();
    await browser.audit(page, "an entry that waits", { sizes: SIZES });
    await open(page, "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYM");
    await page.getByText("chưa mở được phiếu").waitFor();
    await new Promise((go) => setTimeout(go, CUT_MS));
    await page.context().setOffline(false);
    await said(page, /đã lưu lượt 1\.$/);
    await page.waitForFunction(() => document.querySelector("[data-queue]").childElementCount === 0);
  });
  await page.context().close();
}

async function twoTabs() {
  const page = await signIn(demo, browser, "clerk", 0);
  await check("a second tab of a browser waits for the first one", async () => {
    const second = await page.context().newPage();
    await second.goto(at("/nhap-phieu"));
    await second.locator("[data-twice]").waitFor();
    assert.ok(await second.locator("#ma").isDisabled());
    await browser.audit(second, "a second tab", { sizes: SIZES });
    await page.close();
    await second.locator("[data-twice]").waitFor({ state: "hidden" });
    assert.ok(await second.locator("#ma").isEnabled());
  });
  await page.context().close();
}

async function twoClerks() {
  const [one, two] = [await signIn(demo, browser, "clerk", 0), await signIn(demo, browser, "clerk", 1)];
  await check("of two clerks on one ballot one is told, and what she keyed does not count", async () => {
    const paper = demo.code(SINGLE);
    for (const page of [one, two]) {
      await open(page, paper);
      await titled(page, "Lượt 1");
    }
    await key(one, digit);
    await said(one, /đã lưu lượt 1\.$/);
    await key(two, (n) => digit(n + 1));
    await two.getByText("Người khác vừa hoàn thành lượt này").waitFor();
  });
  await browser.audit(two, "an entry that was refused", { sizes: SIZES });
  await check("the refusal goes when it is read", async () => {
    await two.getByRole("button", { name: "Đã đọc" }).click();
    await two.waitForFunction(() => document.querySelector("[data-queue]").childElementCount === 0);
  });
  for (const page of [one, two]) await page.context().close();
}

async function replays() {
  const page = await signIn(demo, browser, "clerk", 0);
  await check("a command a hundred times over counts once; the same key with another body is refused", async () => {
    const paper = demo.code(SINGLE);
    const keys = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`a1-${n + 1}`, "2"]));
    const statuses = await page.evaluate(async ({ paper, keys }) => {
      const id = crypto.randomUUID();
      const send = async (keys) => (await fetch("api/v1/keying/entries", {
        method: "POST", headers: { "content-type": "application/json", "idempotency-key": id },
        body: JSON.stringify({ code: paper, pass: "first", keys }),
      })).status;
      const all = await Promise.all(Array.from({ length: 100 }, () => send(keys)));
      return { all, other: await send({ ...keys, "a1-1": "1" }) };
    }, { paper, keys });
    assert.equal(statuses.all.filter((status) => status === 201).length, 1);
    assert.equal(statuses.all.filter((status) => status === 200).length, 99);
    assert.equal(statuses.other, 422);
  });
  await page.context().close();
}

async function plainBrowsers() {
  await check("a browser without a store says so, and keys all the same", async () => {
    const page = await browser.device({ width: 1280, height: 900 });
    await page.addInitScript(() => Object.defineProperty(globalThis, "indexedDB", { value: undefined }));
    await signInOn(page, demo, "clerk", 0);
    await page.locator("[data-poor]").waitFor();
    await open(page, demo.code(SINGLE));
    await titled(page, "Lượt 1");
    await key(page, digit);
    await said(page, "Đã lưu lượt 1.");
    await page.context().close();
  });
  await check("a tablet whose clock is years off keys all the same", async () => {
    const page = await browser.device({ width: 768, height: 1024 });
    await page.addInitScript(() => { Date.now = () => 0; });
    await signInOn(page, demo, "clerk", 0);
    await open(page, demo.code(SINGLE));
    await titled(page, "Lượt 1");
    await key(page, digit);
    await said(page, /đã lưu lượt 1\.$/);
    await page.context().close();
  });
  await check("without scripts the form is a form", async () => {
    const page = await browser.device({ width: 1280, height: 900, scripts: false });
    const { name, password } = demo.staffed("clerk", 0);
    await page.goto(at("/dang-nhap"));
    await page.fill("#name", name);
    await page.fill("[type=password]", password);
    await page.keyboard.press("Enter");
    await page.waitForURL(at("/nhap-phieu"));
    await page.fill("#ma", demo.code(SINGLE));
    await page.keyboard.press("Enter");
    await page.locator("form[data-keying]").waitFor();
    for (const input of await page.locator("input[data-of]").all()) await input.fill("1");
    await press(page.getByRole("button", { name: "Lưu lượt 1" }));
    await page.getByText("Đã lưu lượt 1.").waitFor();
    await page.context().close();
  });
}

async function training() {
  const page = await signIn(demo, browser, "clerk", 0);
  await page.goto(at("/nhap-phieu/luyen-tap"));
  await browser.audit(page, "the ballots to learn on", { sizes: SIZES });
  await check("a ballot to learn on is keyed beside its paper and compared with it", async () => {
    await page.goto(at("/nhap-phieu/luyen-tap?bai=6"));
    await browser.audit(page, "a ballot to learn on", { sizes: SIZES });
    await page.locator("input[data-of]").first().focus();
    await key(page, () => "Digit1", 0, () => page.waitForSelector("h1:has-text('Bài 6: đúng')"));
    assert.match(await page.textContent("main"), /phím mỗi giờ/);
  });
  await browser.audit(page, "what was learned", { sizes: SIZES });
  await page.context().close();
}

// A browser with a profile of its own, so that it can be killed and come back.
async function profiled(folder) {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const context = await chromium.launchPersistentContext(folder, { executablePath, args, locale: "vi-VN", reducedMotion: "reduce" });
  context.setDefaultTimeout(30_000);
  return context;
}

async function killedBrowser() {
  const folder = mkdtempSync(join(tmpdir(), "phieu-desk-"));
  await check("a browser that is killed without a network loses neither the finished ballot nor the one in hand", async () => {
    const [finished, inHand] = [demo.code(SINGLE), demo.code(SINGLE)];
    let context = await profiled(folder);
    let page = context.pages()[0] ?? await context.newPage();
    await signInOn(page, demo, "clerk", 0);
    await open(page, finished);
    await titled(page, "Lượt 1");
    await context.setOffline(true);
    await key(page, digit);
    await context.setOffline(false);
    await said(page, /đã lưu lượt 1\.$/);
    await open(page, inHand);
    await titled(page, "Lượt 1");
    await context.setOffline(true);
    for (const press of ["Digit5", "Digit4", "Digit3"]) await page.keyboard.press(press);
    await page.waitForTimeout(2000);
    const cdp = await context.browser()?.newBrowserCDPSession();
    const pid = cdp ? (await cdp.send("SystemInfo.getProcessInfo")).processInfo.find((one) => one.type === "browser").id : null;
    assert.ok(pid, "the browser's process");
    process.kill(pid, "SIGKILL");
    await eventually("the browser is gone", () => { try { process.kill(pid, 0); return false; } catch { return true; } });
    await context.close().catch(() => undefined);

    context = await profiled(folder);
    page = context.pages()[0] ?? await context.newPage();
    await signInOn(page, demo, "clerk", 0);
    await open(page, inHand);
    await titled(page, "Lượt 1");
    assert.deepEqual([await value(page, "a1-1"), await value(page, "a1-2"), await value(page, "a1-3")], ["5", "4", "3"]);
    await context.close();
  });
  rmSync(folder, { recursive: true, force: true });
}

async function killedService() {
  const page = await signIn(demo, browser, "clerk", 0);
  await open(page, demo.code(SINGLE));
  await titled(page, "Lượt 1");
  let service;
  await check("the service is killed in the middle of a ballot: it is finished, and sent when the service is back", async () => {
    await page.keyboard.press("Digit1");
    demo.process.kill("SIGKILL");
    await eventually("the service is gone", () => demo.ended);
    await key(page, digit, 1);
    await page.getByText("1 phiếu chờ gửi").waitFor();
    const port = new URL(demo.base_url).port;
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("PHIEU_"));
    const env = { ...Object.fromEntries(own), PHIEU_DATABASE_URL: `sqlite://${join(demo.data, "phieu.db")}`, PHIEU_LISTEN: `127.0.0.1:${port}`, PHIEU_BASE_URL: demo.base_url };
    service = spawn(BINARY, ["serve"], { env, stdio: "ignore", cwd: demo.folder });
    await said(page, /đã lưu lượt 1\.$/);
  });
  await page.context().close();
  service?.kill("SIGTERM");
}
