// From the code to the receipt: by keyboard alone, with scripts off, by thumb with every action counted, and on a slow
// phone. Also the small steps that the other tests of the form share.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, choose, press } from "./harness.mjs";

export const NEXT = /^Lưu và (tiếp tục|xem lại)$/;
const MOST_ACTIONS = 16;
export const CAST = /^Gửi phiếu/;
const LONGEST_FORM = 60;

// The main button of a screen, not the one for the Enter key that nobody sees.
export const next = (page) => page.getByRole("button", { name: NEXT });
export const castButton = (page) => page.getByRole("button", { name: CAST });

export async function enter(page, at, code) {
  await page.goto(at("/"));
  await page.getByLabel(/^Mã phiếu/).fill(code);
  await page.getByLabel(/^Mã phiếu/).press("Enter");
}

// Does what leads to another page, and waits for that page.
export async function onward(page, act) {
  const loaded = page.waitForEvent("domcontentloaded");
  await Promise.all([loaded, act()]);
}

// The questions on the screen, each a group of radios.
export const questions = (page) => page.getByRole("group").filter({ has: page.getByRole("radio") });

// Answers the questions on the screen; in each the option at `pick`.
export async function answer(page, pick = () => 0) {
  const all = await questions(page).all();
  assert.ok(all.length > 0, `no question on ${page.url()}`);
  for (const [n, group] of all.entries()) await choose(group.getByRole("radio").nth(pick(n)));
  return all.length;
}

// Answers every section that follows, up to the review.
export async function fillAll(page, pick) {
  await questions(page).first().waitFor();
  for (let screens = 0; !new URL(page.url()).pathname.endsWith("/xem-lai"); screens += 1) {
    assert.ok(screens < LONGEST_FORM, "the sections end");
    await answer(page, pick);
    await onward(page, () => press(next(page)));
  }
}

// The number on the receipt's page, whatever groups it is shown in; fails where there is none.
export async function receipt(page) {
  const text = (await page.getByRole("main").innerText()).replaceAll(/[^\S\n]/g, "");
  const found = /(^|\n)([0-9a-f]{64})(\n|$)/.exec(text.replaceAll(/(?<=[0-9a-f])\n(?=[0-9a-f]{4}\b)/g, ""));
  assert.ok(found, `no receipt on ${page.url()}`);
  return found[2];
}

export async function chosen(page) {
  const radios = await page.getByRole("radio", { checked: true }).all();
  return Promise.all(radios.map((radio) => radio.evaluate((input) => `${input.name}=${input.value}`)));
}

export async function whole(page, at, code, pick) {
  await enter(page, at, code);
  await fillAll(page, pick);
  await press(castButton(page));
  await page.waitForURL(at("/p/xong"));
  return receipt(page);
}

// Where the keyboard is.
export const focus = (page) => page.evaluate(() => {
  const element = document.activeElement ?? document.body;
  const style = getComputedStyle(element);
  const shown = style.outlineStyle !== "none" || (element.closest("label") && getComputedStyle(element.closest("label")).outlineStyle !== "none");
  return { tag: element.tagName, type: element.type ?? "", name: element.name ?? "", value: element.value ?? "", checked: element.checked === true, words: element.textContent.trim(), shown };
});

export async function tabTo(page, what, wanted) {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    const now = await focus(page);
    if (now.tag !== "BODY") assert.ok(now.shown, `the focus is not to be seen on ${JSON.stringify(now)}`);
    if (wanted(now)) return now;
  }
  throw new Error(`80 presses of Tab did not lead to ${what} on ${page.url()}`);
}

export async function keyboard({ field, browser, at }) {
  const page = await browser.device({ width: 1280, height: 900 });
  await check("by keyboard alone: the code is typed and entered", async () => {
    await page.goto(at("/"));
    await tabTo(page, "the code", (now) => now.tag === "INPUT" && now.type === "text");
    await page.keyboard.type(field.code("CC-CT").toLowerCase());
    await onward(page, () => page.keyboard.press("Enter"));
    assert.equal(new URL(page.url()).pathname, "/p");
  });
  await check("by keyboard alone: every question is reached and answered by Space and the arrows", async () => {
    let items = 0;
    for (let screens = 0; new URL(page.url()).pathname === "/p"; screens += 1) {
      assert.ok(screens < LONGEST_FORM, "the sections end");
      const names = new Set();
      for (let stops = 0; ; stops += 1) {
        assert.ok(stops < 200, "the questions end");
        const now = await tabTo(page, "a question or the button", (one) => one.type === "radio" || NEXT.test(one.words));
        if (now.type !== "radio") break;
        names.add(now.name);
        await page.keyboard.press("Space");
        for (let down = 0; down < names.size % 3; down += 1) await page.keyboard.press("ArrowDown");
        assert.ok((await focus(page)).checked, "the option is chosen");
      }
      assert.equal(names.size, await questions(page).count());
      items += names.size;
      await onward(page, () => page.keyboard.press("Enter"));
    }
    assert.equal(items, 12);
  });
  await check("by keyboard alone: reviewed, cast, and there is a receipt", async () => {
    assert.equal(new URL(page.url()).pathname, "/p/xem-lai");
    await tabTo(page, "the cast", (now) => now.tag === "BUTTON" && CAST.test(now.words));
    await page.keyboard.press("Space");
    await page.waitForURL(at("/p/xong"));
    await receipt(page);
  });
  await check("by keyboard alone: signed out", async () => {
    await tabTo(page, "the way out", (now) => now.tag === "BUTTON" && /^Thoát/.test(now.words));
    await page.keyboard.press("Enter");
    await page.waitForURL(at("/thoat"));
  });
  await page.context().close();
}

export async function scriptsOff({ field, browser, at }) {
  const page = await browser.device({ scripts: false });
  await check("with scripts off: from the code to the receipt, and out", async () => {
    await whole(page, at, field.code("CC-CT"), (n) => n % 6);
    await press(page.getByRole("button", { name: /^Thoát/ }));
    assert.equal(new URL(page.url()).pathname, "/thoat");
    await page.goto(at("/p/xong"));
    assert.equal(await page.getByLabel(/^Mã phiếu/).count(), 1, "the code is asked for again");
  });
  await check("with scripts off: several targets, from the list and back", async () => {
    await enter(page, at, field.code("LĐ-CP"));
    await page.waitForURL(at("/p"));
    const links = page.getByRole("main").getByRole("list").getByRole("link");
    const targets = await links.count();
    assert.ok(targets > 1);
    for (let n = 0; n < targets; n += 1) {
      await onward(page, () => press(links.nth(n)));
      for (let screens = 0; await questions(page).count() > 0; screens += 1) {
        assert.ok(screens < LONGEST_FORM, "the sections end");
        await answer(page);
        await onward(page, () => press(next(page)));
      }
    }
    await press(page.getByRole("link", { name: /Xem lại/ }));
    await press(castButton(page));
    await page.waitForURL(at("/p/xong"));
    await receipt(page);
  });
  await page.context().close();
}

export async function thumbs({ field, browser, at }) {
  const page = await browser.device({ touch: true });
  let actions = 0;
  const tap = async (locator) => { actions += 1; await locator.tap(); };
  await check("by thumb: no action between the code and the receipt is one too many", async () => {
    await page.goto(at("/"));
    await page.getByLabel(/^Mã phiếu/).fill(field.code("CC-CT"));
    actions += 1;
    await onward(page, () => tap(page.getByRole("button", { name: "Tiếp tục", exact: true })));
    let [items, screens] = [0, 0];
    for (; new URL(page.url()).pathname === "/p"; screens += 1) {
      assert.ok(screens < LONGEST_FORM, "the screens end");
      for (const group of await questions(page).all()) {
        await tap(group.getByRole("radio").first());
        items += 1;
      }
      await onward(page, () => tap(next(page)));
    }
    await tap(castButton(page));
    await page.waitForURL(at("/p/xong"));
    await receipt(page);
    console.log(`# ${actions} actions: the code, its button, ${items} answers, ${screens} screens, the cast`);
    assert.equal(items, 12);
    assert.equal(actions, items + screens + 3);
    assert.ok(actions <= MOST_ACTIONS, `${actions} actions`);
  });
  await page.context().close();
}

// A film of the journey on a slow phone, frame by frame, when SCREENSHOTS says where to.
export async function slowPhone({ field, browser, at }) {
  if (!process.env.SCREENSHOTS) return;
  const folder = join(process.env.SCREENSHOTS, "slow-phone");
  mkdirSync(folder, { recursive: true });
  const page = await browser.device({ touch: true });
  await check("on a slow phone: a journey, filmed", async () => {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 25_000 });
    await session.send("Emulation.setCPUThrottlingRate", { rate: 6 });
    const started = Date.now();
    session.on("Page.screencastFrame", ({ data, sessionId }) => {
      const at = String(Date.now() - started).padStart(6, "0");
      writeFileSync(join(folder, `${at}ms.jpg`), Buffer.from(data, "base64"));
      session.send("Page.screencastFrameAck", { sessionId }).catch(() => {});
    });
    await session.send("Page.startScreencast", { format: "jpeg", quality: 70, everyNthFrame: 2 });
    await whole(page, at, field.code("CC-CT"), (n) => n % 5);
    await session.send("Page.stopScreencast");
    console.log(`# ${Math.round((Date.now() - started) / 1000)} s from the entry to the receipt, 400 kbit/s, 400 ms, a sixth of the processor`);
  });
  await page.context().close();
}
