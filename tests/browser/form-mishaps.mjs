// Two tabs, two devices, impatience, the back button, reloads, and a network that swallows the answer: one ballot, the
// same receipt, and no page that frightens anybody.

import assert from "node:assert/strict";
import { answer, castButton, chosen, enter, fillAll, next, onward, questions, receipt } from "./form-journeys.mjs";
import { check, eventually, press } from "./harness.mjs";

// Whatever else is on it, the page is one of ours, and no refusal.
async function calm(page) {
  assert.equal(await page.locator("html").getAttribute("lang"), "vi", page.url());
  assert.equal(await page.getByRole("alert").count(), 0, await page.getByRole("main").innerText());
}

export async function mishaps(scene) {
  for (const mishap of [backOntoErrors, twoTabs, twoDevices, sharedComputer, slowSaves, doubleClick, backButton, reloads, lostAnswers]) {
    const { field } = scene;
    const before = field.returned();
    await mishap(scene);
    await check(`${mishap.name}: exactly one ballot`, () => assert.equal(field.returned(), before + 1));
  }
}

// Back and reload onto a page that says what was wrong ask for that page, not whether to send the form again.
async function backOntoErrors({ field, browser, at }) {
  const page = await browser.device({ scripts: false });
  const navigations = [];
  page.on("request", (request) => { if (request.isNavigationRequest()) navigations.push(request.method()); });
  const comesBack = async (name) => {
    navigations.length = 0;
    await onward(page, () => press(page.getByRole("contentinfo").getByRole("link").first()));
    const back = await page.goBack();
    assert.equal(back?.request().method(), "GET", name);
    await page.reload();
    assert.deepEqual([...new Set(navigations)], ["GET"], `${name}: nothing is sent again`);
    assert.equal(await page.locator("html").getAttribute("lang"), "vi", `${name}: a page of ours`);
  };
  await check("back and reload onto a page that says what was wrong send nothing again, scripts off", async () => {
    const code = field.code("CC-CT");
    for (const [name, typed, says] of [["a mistyped code", "7K3Q", /ông\/bà đã nhập 4/], ["an unknown code", "0000-0000-0000-0000-0000-0000", /Không có mã phiếu này/], ["a paper ballot's code", field.code("HĐ-CT"), /phiếu giấy/]]) {
      await enter(page, at, typed);
      await page.getByRole("alert").filter({ hasText: says }).waitFor();
      await comesBack(name);
    }
    await enter(page, at, code);
    await questions(page).first().waitFor();
    await answer(page, () => 1);
    const cookies = await page.context().cookies();
    await page.context().clearCookies();
    await onward(page, () => press(next(page)));
    await page.getByRole("alert").filter({ hasText: "Xin nhập lại mã" }).waitFor();
    assert.equal(await page.locator("input[type=hidden][name^='c.']").count(), 12, "what was chosen goes along");
    await comesBack("a device that forgot the code");
    await page.context().addCookies(cookies);
    await page.goto(at("/p"));
    await fillAll(page);
    await press(castButton(page));
    await page.waitForURL(at("/p/xong"));
  });
  await page.context().close();
}

async function twoTabs({ field, browser, at }) {
  const one = await browser.device();
  const other = await one.context().newPage();
  await check("two tabs: what each answers is kept, and both show the one receipt", async () => {
    await enter(one, at, field.code("CC-CT"));
    await questions(one).first().waitFor();
    await other.goto(at("/p?phan=1"));
    const last = await other.context().newPage();
    await last.goto(at("/p?phan=1"));
    await questions(one).first().getByRole("radio").first().check();
    await press(next(one));
    await one.waitForURL(at("/p/xem-lai"));
    await questions(other).nth(1).getByRole("radio").nth(2).check();
    await press(next(other));
    await other.waitForURL(at("/p/xem-lai"));
    await other.goto(at("/p?phan=1"));
    assert.equal((await chosen(other)).length, 2, "both answers");
    await one.reload();
    await press(castButton(one));
    await one.waitForURL(at("/p/xong"));
    for (const late of [other, last]) {
      await answer(late);
      await press(next(late));
      await late.waitForURL(at("/p/xong"));
      await calm(late);
      assert.equal(await receipt(late), await receipt(one));
    }
  });
  await one.context().close();
}

async function twoDevices({ field, browser, at }) {
  const [phone, desk] = [await browser.device(), await browser.device({ width: 1280, height: 900, scripts: false })];
  await check("two devices: one goes on where the other stopped, and both show the one receipt", async () => {
    const code = field.code("CC-CT");
    await enter(phone, at, code);
    await questions(phone).first().waitFor();
    for (const group of (await questions(phone).all()).slice(0, 3)) await group.getByRole("radio").first().check();
    const before = await chosen(phone);
    await onward(phone, () => press(next(phone)));
    await onward(phone, () => phone.goBack());
    await enter(desk, at, code);
    await questions(desk).first().waitFor();
    assert.match(new URL(desk.url()).hash, /^#c-/, "at the first question without an answer");
    assert.deepEqual(await chosen(desk), before);
    await fillAll(desk);
    await press(castButton(desk));
    await desk.waitForURL(at("/p/xong"));
    const shown = await receipt(desk);
    await answer(phone);
    await press(next(phone));
    await phone.waitForURL(at("/p/xong"));
    await calm(phone);
    assert.equal(await receipt(phone), shown);
  });
  await phone.context().close();
  await desk.context().close();
}

async function sharedComputer({ field, browser, at }) {
  const page = await browser.device({ width: 1280, height: 900 });
  await check("a tab that somebody left open writes nothing into the next person's ballot", async () => {
    const old = await page.context().newPage();
    await enter(old, at, field.code("CC-CT"));
    await questions(old).first().waitFor();
    await page.goto(at("/"));
    await press(page.getByRole("button", { name: /^Thoát/ }));
    await enter(page, at, field.code("CC-CT"));
    await questions(page).first().waitFor();
    await answer(old);
    await old.getByText(/^Chưa lưu được/).waitFor();
    await onward(old, () => press(next(old)));
    assert.match(await old.getByRole("heading", { level: 1 }).innerText(), /mã phiếu khác/);
    await browser.audit(old, "a page of another code", { sizes: [[320, 640], [768, 1024], [1280, 900]] });
    await page.reload();
    assert.deepEqual(await chosen(page), [], "nothing came from the old tab");
    await press(old.getByRole("link", { name: "Tiếp tục phiếu đang làm" }));
    await fillAll(old);
    await press(castButton(old));
    await old.waitForURL(at("/p/xong"));
    await receipt(old);
  });
  await page.context().close();
}

async function slowSaves({ field, browser, at }) {
  const page = await browser.device();
  const status = page.getByRole("status");
  await check("nothing is said to be saved while a later answer waits", async () => {
    await enter(page, at, field.code("CC-CT"));
    await questions(page).first().waitFor();
    const held = [];
    await page.route(/\/p\?phan=1$/, (route) => (route.request().method() === "POST" ? held.push(route) : route.fallback()));
    await questions(page).nth(0).getByRole("radio").first().check();
    await eventually("the first answer is on its way", () => held.length === 1);
    await questions(page).nth(1).getByRole("radio").first().check();
    await held[0].continue();
    await eventually("the second answer is on its way", () => held.length === 2);
    assert.equal(await status.innerText(), "Đang lưu nháp…");
    await held[1].continue();
    await status.filter({ hasText: "Đã lưu nháp" }).waitFor();
    await page.unrouteAll();
    await page.reload();
    assert.equal((await chosen(page)).length, 2);
    await fillAll(page);
    await press(castButton(page));
    await page.waitForURL(at("/p/xong"));
  });
  await page.context().close();
}

async function doubleClick({ field, browser, at }) {
  const page = await browser.device();
  await check("a double click on the cast is one cast", async () => {
    await enter(page, at, field.code("CC-CT"));
    await fillAll(page);
    await castButton(page).dblclick();
    await page.waitForURL(at("/p/xong"));
    await calm(page);
    const shown = await receipt(page);
    await page.reload();
    assert.equal(await receipt(page), shown);
  });
  await page.context().close();
}

async function backButton({ field, browser, at }) {
  const page = await browser.device();
  await check("back after the cast, and every button there: the same receipt", async () => {
    await enter(page, at, field.code("CC-CT"));
    await fillAll(page);
    await press(castButton(page));
    await page.waitForURL(at("/p/xong"));
    const shown = await receipt(page);
    for (let back = 0; back < 2; back += 1) {
      await page.goBack();
      await page.waitForLoadState();
      await calm(page);
      // The browser may show the old page from memory: its button leads to the receipt like any other.
      if (await castButton(page).count() > 0) await press(castButton(page));
      else if (await next(page).count() > 0) await press(next(page));
      await page.waitForURL(at("/p/xong"));
      assert.equal(await receipt(page), shown);
    }
  });
  await page.context().close();
}

async function reloads({ field, browser, at }) {
  const page = await browser.device({ scripts: false });
  const again = async () => {
    const [answered] = await Promise.all([page.waitForEvent("response", (r) => r.request().isNavigationRequest()), page.reload()]);
    assert.equal(answered.request().method(), "GET", "a reload never asks to send a form again");
    await calm(page);
  };
  await check("a reload at each step changes nothing", async () => {
    await page.goto(at("/"));
    await again();
    await enter(page, at, field.code("CC-CT"));
    await page.waitForURL(at("/p"));
    await again();
    await answer(page, (n) => n % 5);
    const wanted = await chosen(page);
    await onward(page, () => press(next(page)));
    await page.goto(at("/p?phan=1"));
    await again();
    assert.deepEqual(await chosen(page), wanted, "everything that was chosen is kept");
    await page.goto(at("/p/xem-lai"));
    await again();
    await press(castButton(page));
    await page.waitForURL(at("/p/xong"));
    const shown = await receipt(page);
    await again();
    assert.equal(await receipt(page), shown);
  });
  await page.context().close();
}

// The request arrives, its answer never does.
async function swallow(page, pattern) {
  await page.route(pattern, async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    // The browser's own word that the form is the site's: it is not among the headers that can be read here.
    const headers = { ...(await route.request().allHeaders()), "sec-fetch-site": "same-origin" };
    const answered = await route.fetch({ headers, maxRedirects: 0 });
    assert.equal(answered.status(), 303);
    await route.abort("connectionreset");
  });
}

async function lostAnswers({ field, browser, at }) {
  // Without scripts, nothing but the buttons saves.
  const page = await browser.device({ scripts: false });
  const code = field.code("CC-CT");
  let kept = [];
  await check("a screen whose answer was lost is kept", async () => {
    await enter(page, at, code);
    await questions(page).first().waitFor();
    await answer(page, () => 3);
    kept = await chosen(page);
    await swallow(page, /\/p\?phan=1$/);
    await Promise.all([page.waitForEvent("requestfailed"), next(page).click({ noWaitAfter: true })]);
    await page.unrouteAll({ behavior: "wait" });
    await page.goto(at("/p?phan=1"));
    await calm(page);
    assert.deepEqual(await chosen(page), kept);
  });
  await check("a cast whose answer was lost: pressing once more, and the code once more, show one receipt", async () => {
    await page.goto(at("/p/xem-lai"));
    await swallow(page, /\/p\/xem-lai$/);
    await Promise.all([page.waitForEvent("requestfailed"), castButton(page).click({ noWaitAfter: true })]);
    await page.unrouteAll({ behavior: "wait" });
    await page.goto(at("/p/xem-lai"));
    await calm(page);
    const shown = await receipt(page);
    const another = await browser.device();
    await enter(another, at, code);
    await another.waitForURL(at("/p/xong"));
    assert.equal(await receipt(another), shown);
    await another.context().close();
  });
  await page.context().close();
}
