// The paper desk by keyboard alone: two clerks in two sessions, one difference, a third person who decides.

import assert from "node:assert/strict";
import { check } from "./harness.mjs";

export async function signIn(demo, browser, role, nth) {
  const page = await browser.device({ width: 1280, height: 900 });
  return signInOn(page, demo, role, nth);
}

export async function signInOn(page, demo, role, nth) {
  const { name, password } = demo.staffed(role, nth);
  await page.goto(`${demo.base_url}/dang-nhap`);
  await page.focus("#name");
  await page.keyboard.type(name);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.endsWith("/dang-nhap"));
  if (role === "supervisor") await page.goto(`${demo.base_url}/nhap-phieu`);
  await page.waitForURL(`${demo.base_url}/nhap-phieu`);
  await page.waitForFunction(() => document.activeElement?.id === "ma");
  return page;
}

// The code box has the focus by itself.
export async function open(page, code) {
  assert.equal(await page.evaluate(() => document.activeElement?.id), "ma");
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
}

// A page of the desk says in its title which pass it is for.
export async function titled(page, words) {
  await page.waitForFunction((wanted) => document.title.includes(wanted), words);
}

const atTheBox = (page) => page.waitForFunction(() => document.activeElement?.id === "ma");

// Types a key for each item from the one that has the focus, of which `done` come before it; where the stop line waits,
// Enter. Gives back how many items there were and how often Enter was pressed. `left` waits for what comes after.
export async function key(page, digits, done = 0, left = atTheBox) {
  await page.locator("form[data-keying]").waitFor();
  const items = await page.locator("form[data-keying] input[data-of]").count();
  for (let typed = done, stops = 0; ; ) {
    const where = await page.evaluate(() => {
      const element = document.activeElement;
      if (element?.matches("[data-stop]")) return "stop";
      return element?.matches("input[data-of]") ? "item" : "elsewhere";
    });
    if (where === "stop") {
      stops += 1;
      assert.ok(stops <= items, "the stop lines end");
      await page.keyboard.press("Enter");
      if (typed === items) {
        await left(page);
        return { items, stops };
      }
      continue;
    }
    assert.equal(where, "item", `after ${typed} of ${items} items the focus is on neither an item nor the stop line`);
    const before = await page.evaluate(() => document.activeElement.id);
    await page.keyboard.press(digits(typed));
    const after = await page.evaluate(() => document.activeElement.id);
    assert.notEqual(after, before, `the key for item ${typed + 1} was not taken`);
    typed += 1;
  }
}

// One empty page.
const PDF = Buffer.from(`%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
trailer<</Root 1 0 R>>
%%EOF
`);

// What the desk says of the ballot before.
export const said = (page, words) => page.locator("[data-results] .notice").filter({ hasText: words }).waitFor();

export async function castPaper(demo, browser) {
  const code = demo.code("LĐH-CH");
  // Blank, several marks and illegible are keys like any other.
  const first = (n) => ["NumpadDecimal", "Shift+Digit8", "Slash"][n - 4] ?? `Digit${1 + (n % 6)}`;
  const second = (n) => (n === 2 ? "Numpad6" : first(n));

  const one = await signIn(demo, browser, "clerk", 0);
  await browser.audit(one, "the paper desk");
  await check("the first clerk keys a ballot with one hand on the digits", async () => {
    await open(one, code);
    await titled(one, "Lượt 1");
    await key(one, first);
    await said(one, /^LĐH-CH · Bó 01 · phiếu \d+\/\d+: đã lưu lượt 1\.$/);
  });
  await check("the same clerk may not key it again", async () => {
    await open(one, code);
    await one.getByRole("alert").waitFor();
    assert.equal(await one.locator("form[data-keying]").count(), 0);
  });
  await browser.audit(one, "the paper desk with a refusal");

  const two = await signIn(demo, browser, "clerk", 1);
  await check("the second clerk keys it blind, with one difference", async () => {
    await open(two, code);
    await titled(two, "Lượt 2");
    const values = await two.locator("input[data-of]").evaluateAll((all) => all.map((input) => input.value).join(""));
    assert.equal(values, "", "nothing of the first entry is shown");
  });
  await browser.audit(two, "the keying screen");
  await check("the difference goes to a third person", async () => {
    await two.locator("input[data-of]").first().focus();
    await key(two, second);
    await said(two, /: lệch 1 mục – chuyển người thứ ba\.$/);
  });

  await check("the page that was scanned is attached to the ballot", async () => {
    const image = await one.screenshot();
    await one.goto(`${demo.base_url}/nhap-phieu/quet`);
    await one.fill("#ma", code);
    const files = [{ name: "1.png", mimeType: "image/png", buffer: image }, { name: "2.pdf", mimeType: "application/pdf", buffer: PDF }];
    await one.setInputFiles("#tep", files);
    await one.getByRole("button", { name: "Gắn vào phiếu" }).click();
    await one.getByText("đã nhận 2 trang, phiếu có 2 trang").waitFor();
    await one.fill("#ma", code);
    await one.setInputFiles("#tep", [{ name: "3.png", mimeType: "image/png", buffer: Buffer.from("GIF89a") }]);
    await one.getByRole("button", { name: "Gắn vào phiếu" }).click();
    await one.getByText("Chỉ nhận tệp JPEG, PNG hoặc PDF").waitFor();
  });
  await browser.audit(one, "a scan that was refused");

  const third = await signIn(demo, browser, "adjudicator", 0);
  await browser.audit(third, "the adjudicator's desk");
  await check("the third person reads that one item blind", async () => {
    await open(third, code);
    await titled(third, "Phân xử: đọc phiếu");
    assert.equal(await third.locator("input[data-of]").count(), 1);
    assert.doesNotMatch(await third.textContent("main"), /Lượt [12]:/);
  });
  await check("the scanned pages stand beside it", async () => {
    const image = third.locator("img[alt='Trang quét 1']");
    await image.waitFor();
    assert.ok(await image.evaluate((img) => img.decode().then(() => img.naturalWidth > 100)));
    const [answer] = await Promise.all([
      third.context().waitForEvent("response", (r) => r.url().endsWith("/nhap-phieu/quet/trang")),
      third.getByRole("button", { name: "Mở trang 2 ở thẻ mới" }).click(),
    ]);
    assert.equal(answer.headers()["content-type"], "application/pdf");
    for (const page of third.context().pages()) if (page !== third) await page.close();
  });
  await browser.audit(third, "the blind reading");
  await check("then sees what both clerks have", async () => {
    await third.locator("input[data-of]").focus();
    await key(third, () => first(2), 0, (page) => page.locator("fieldset.card").waitFor());
    const text = (await third.textContent("fieldset")).replaceAll(/\s+/g, " ");
    assert.match(text, /Lượt 1:? 3/);
    assert.match(text, /Lượt 2:? 6/);
    assert.match(text, /Ông\/bà đọc: 3/);
    assert.equal(await third.locator("fieldset").count(), 1);
  });
  await browser.audit(third, "the decision");
  await check("the decision, by keyboard, puts the ballot into the box", async () => {
    assert.equal(await third.locator("[value=slip_second]").isChecked(), true, "who slipped, if the reading is right");
    await third.locator("fieldset input[inputmode=tel]").focus();
    await third.keyboard.press("Enter");
    await third.waitForURL(/nhap-phieu\?kq=/);
    await said(third, "Đã phân xử – đã đưa vào hòm phiếu.");
  });
  await check("a ballot in the box is not opened again", async () => {
    await open(third, code);
    await third.getByRole("alert").waitFor();
  });
  for (const page of [one, two, third]) await page.context().close();
}
