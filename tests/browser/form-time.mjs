// Time from the browser's view: the session that is about to end and has ended, and the round that closes while
// somebody answers. The browser's clock is wound forward; the round closes in earnest, a few seconds after it opened.

import assert from "node:assert/strict";
import { answer, castButton, chosen, enter, next, onward, questions, receipt } from "./form-journeys.mjs";
import { check, eventually, press } from "./harness.mjs";

const SIZES = [[320, 640], [768, 1024], [1280, 900]];
const MINUTE_MS = 60_000;
// Enough for entering and saving a draft on a slow machine; other tests fill the wait.
const CLOSES_IN_S = 60;

export async function time(scene) {
  const late = await beforeTheClose(scene);
  await session(scene);
  await afterTheClose(scene, late);
}

async function session({ field, browser, at }) {
  const page = await browser.device();
  const warning = page.getByRole("alert");
  await page.clock.install();
  await enter(page, at, field.code("CC-CT"));
  await questions(page).first().waitFor();
  await check("a session's end is announced five minutes before, and not earlier", async () => {
    await page.clock.runFor(54 * MINUTE_MS);
    assert.equal(await warning.count(), 0);
    await page.clock.runFor(MINUTE_MS);
    await warning.waitFor();
    assert.match(await warning.innerText(), /^Còn 5 phút nữa thiết bị này sẽ quên mã phiếu\./);
  });
  await browser.audit(page, "a session about to end", { sizes: SIZES });
  await check("the session goes on at the press of a button, and its end is announced again", async () => {
    const renewed = page.waitForResponse((answered) => answered.url().endsWith("/p/giu"));
    await press(page.getByRole("button", { name: "Tiếp tục", exact: true }));
    assert.match((await (await renewed).allHeaders())["set-cookie"], /Max-Age=3600/);
    await warning.waitFor({ state: "hidden" });
    await page.clock.runFor(55 * MINUTE_MS);
    await warning.waitFor();
  });
  await check("a session that ended is told, and what was chosen is not lost", async () => {
    await answer(page, (n) => n % 6);
    const wanted = await chosen(page);
    await page.context().clearCookies();
    await press(page.getByRole("button", { name: "Tiếp tục", exact: true }));
    await page.getByText(/^Thiết bị này đã quên mã phiếu/).waitFor();
    await onward(page, () => press(next(page)));
    assert.match(await page.getByRole("alert").innerText(), /Xin nhập lại mã/);
    assert.equal(await page.locator("input[type=hidden][name^='c.']").count(), wanted.length);
  });
  await page.context().close();
}

async function beforeTheClose({ field, browser, at }) {
  const closes = Date.now() + CLOSES_IN_S * 1000;
  field.round("sap-dong", [-1, CLOSES_IN_S / 86_400], [["CC-CT", "SNV", 3]], { more: { grace_minutes: 15 } });
  const [drafted, blank] = [await browser.device(), await browser.device()];
  const held = [field.code("CC-CT", "sap-dong"), field.code("CC-CT", "sap-dong")];
  await check("a round about to close says when", async () => {
    await enter(drafted, at, held[0]);
    await questions(drafted).first().waitFor();
    assert.match(await drafted.getByRole("main").innerText(), /Nhận phiếu đến trước \d\d:\d\d ngày/);
    await answer(drafted, () => 2);
    await drafted.getByRole("status").filter({ hasText: "Đã lưu" }).waitFor();
    await enter(blank, at, held[1]);
    await questions(blank).first().waitFor();
    assert.ok(Date.now() < closes, "all of that in time");
  });
  return [drafted, blank];
}

async function afterTheClose({ field, browser, at }, [drafted, blank]) {
  await check("after the close: a saved draft is told how long it can still be sent, and is sent", async () => {
    await eventually("the round has closed", async () => {
      await drafted.goto(at("/p/xem-lai"));
      return /Đã đóng nhận phiếu lúc .* còn gửi được đến trước/.test(await drafted.getByRole("main").innerText());
    }, 2 * CLOSES_IN_S * 1000);
    await browser.audit(drafted, "a review in the grace after the close", { sizes: SIZES });
    await press(castButton(drafted));
    await drafted.waitForURL(at("/p/xong"));
    await receipt(drafted);
    assert.equal(field.returned("sap-dong"), 1);
  });
  await check("after the close: without a draft in time there is a clear page, and nothing is kept", async () => {
    await answer(blank);
    await blank.getByText(/^Chưa lưu được/).waitFor();
    await onward(blank, () => press(next(blank)));
    assert.equal(await blank.getByRole("heading", { level: 1 }).innerText(), "Đã hết hạn nhận phiếu");
    assert.equal(field.returned("sap-dong"), 1);
  });
  await Promise.all([drafted.context().close(), blank.context().close()]);
}
