// The paper desk by keyboard alone: two clerks in two sessions, one difference, a third person who decides.

import assert from "node:assert/strict";
import { check } from "./harness.mjs";

async function signIn(demo, browser, role, nth) {
  const page = await browser.device({ width: 1280, height: 900 });
  const { name, password } = demo.staffed(role, nth);
  await page.goto(`${demo.base_url}/dang-nhap`);
  await page.focus("#name");
  await page.keyboard.type(name);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${demo.base_url}/nhap-phieu`);
  return page;
}

// The code box has the focus by itself.
async function open(page, code) {
  assert.equal(await page.evaluate(() => document.activeElement?.id), "ma");
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
}

// A page of the desk says in its title which pass it is for.
async function titled(page, words) {
  await page.waitForFunction((wanted) => document.title.includes(wanted), words);
}

// Types a key for each item; where the stop line waits, Enter. Gives back how many items there were.
async function key(page, digits) {
  await page.locator("form[data-keying]").waitFor();
  const items = await page.locator("form[data-keying] input[data-of]").count();
  for (let typed = 0, stops = 0; ; ) {
    const where = await page.evaluate(() => {
      const element = document.activeElement;
      if (element?.matches("[data-stop]")) return "stop";
      return element?.matches("input[data-of]") ? "item" : "elsewhere";
    });
    if (where === "stop") {
      stops += 1;
      assert.ok(stops <= items, "the stop lines end");
      if (typed === items) {
        await Promise.all([page.waitForURL(/nhap-phieu\?kq=/), page.keyboard.press("Enter")]);
        return items;
      }
      await page.keyboard.press("Enter");
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

const said = async (page) => (await page.locator("p.notice").first().textContent()).trim();

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
    assert.equal(await said(one), "Đã lưu lượt 1.");
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
    assert.equal(await said(two), "Lệch 1 mục – chuyển người thứ ba.");
  });

  const third = await signIn(demo, browser, "adjudicator", 0);
  await browser.audit(third, "the adjudicator's desk");
  await check("the third person sees both readings of that one item", async () => {
    await open(third, code);
    await titled(third, "Phân xử");
    const text = (await third.textContent("fieldset")).replaceAll(/\s+/g, " ");
    assert.match(text, /Lượt 1:? 3/);
    assert.match(text, /Lượt 2:? 6/);
    assert.equal(await third.locator("fieldset").count(), 1);
  });
  await browser.audit(third, "the decision");
  await check("the decision, by keyboard, puts the ballot into the box", async () => {
    await third.locator("fieldset input[inputmode=tel]").focus();
    await third.keyboard.press(first(2));
    await third.keyboard.press("Tab");
    await third.keyboard.press("ArrowDown");
    await third.keyboard.press("Enter");
    await third.waitForURL(/nhap-phieu\?kq=/);
    assert.equal(await said(third), "Đã phân xử – đã đưa vào hòm phiếu.");
  });
  await check("a ballot in the box is not opened again", async () => {
    await open(third, code);
    await third.getByRole("alert").waitFor();
  });
  for (const page of [one, two, third]) await page.context().close();
}
