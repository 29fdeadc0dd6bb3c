// Every kind of question (one of several, several, a number, a text, scales), questions that follow from others, a list
// of targets and a second language: in every state, by keyboard alone, with scripts off.

import assert from "node:assert/strict";
import { CAST, NEXT, castButton, enter, focus, next, onward, questions, receipt, tabTo } from "./form-journeys.mjs";
import { auditor } from "./form-states.mjs";
import { check, choose, press } from "./harness.mjs";

const LONG = "ắ".repeat(301);
const option = (page, name) => page.getByRole("radio", { name, exact: true });
const number = (page) => page.locator("input[name='c.Q0A']");
const text = (page) => page.getByRole("textbox").last();

export async function kinds(scene) {
  for (const part of [everyState, inEnglish, byKeyboard, scriptsOff, listed]) {
    const before = scene.field.returned("du-loai") + scene.field.returned("du-loai-hai");
    await part(scene);
    await check(`every kind, ${part.name}: exactly one ballot`, () => {
      assert.equal(scene.field.returned("du-loai") + scene.field.returned("du-loai-hai"), before + 1);
    });
  }
}

// Answers the first question with yes, which brings the number, which brings the ticks.
async function follow(page, { vi = true } = {}) {
  await choose(option(page, vi ? "Có" : "Yes"));
  await onward(page, () => press(page.locator("button[name=di][value=tiep]").last()));
  await check("a question that follows from an answer comes at once, and is said to be new", async () => {
    assert.match(page.url(), /#m-Q0A$/);
    await page.locator("#m-Q0A").waitFor();
  });
  await number(page).fill("12");
  await onward(page, () => press(page.locator("button[name=di][value=tiep]").last()));
  await check("and the next one after it", () => assert.match(page.url(), /#m-Q0B$/));
}

async function everyState({ field, browser, at }) {
  const audit = auditor(browser);
  const page = await browser.device();
  await enter(page, at, field.code("CC", "du-loai"));
  await questions(page).first().waitFor();
  await audit(page, "every kind, empty");
  await page.goto(at("/p/xem-lai"));
  await audit(page, "every kind, a review of nothing");
  await page.goto(at("/p?phan=1"));
  await follow(page);
  await audit(page, "every kind, a new question");

  await check("what does not fit is named at its field and in a summary that has the focus; all input is kept", async () => {
    await number(page).fill("1.000");
    for (const box of await page.getByRole("checkbox").all()) await box.check();
    await text(page).fill(LONG);
    await onward(page, () => press(next(page)));
    const summary = page.getByRole("alert").filter({ hasText: "chưa lưu được" });
    await summary.waitFor();
    assert.equal(await summary.evaluate((element) => document.activeElement === element), true, "the focus");
    assert.match(await page.title(), /^Lỗi: /);
    const links = await summary.getByRole("link").all();
    assert.equal(links.length, 3);
    for (const link of links) {
      await link.click();
      const target = await page.evaluate(() => document.querySelector(location.hash)?.contains(document.activeElement));
      assert.equal(target, true, await link.innerText());
    }
    assert.equal(await number(page).inputValue(), "1.000");
    assert.equal(await text(page).inputValue(), LONG);
    assert.equal(await page.getByRole("checkbox", { checked: true }).count(), 3);
    assert.equal(await page.locator("[aria-invalid=true]").count(), 2);
  });
  await audit(page, "every kind, with faults");

  await check("mended, everything is saved", async () => {
    await number(page).fill("12");
    await page.getByRole("checkbox").first().uncheck();
    await text(page).fill("Nhanh hơn\nvà gọn hơn");
    await onward(page, () => press(next(page)));
    assert.equal(new URL(page.url()).pathname, "/p/xem-lai");
  });
  await page.goto(at("/p?phan=1"));
  await audit(page, "every kind, filled");
  await check("taken back, a required answer is asked for before the ballot goes", async () => {
    await onward(page, () => press(page.getByRole("button", { name: "Bỏ chọn câu 1", exact: true })));
    await page.goto(at("/p/xem-lai"));
    await page.getByText(/^Còn câu bắt buộc/).waitFor();
    await onward(page, () => press(castButton(page)));
    await page.getByRole("alert").filter({ hasText: "vì còn câu bắt buộc" }).waitFor();
  });
  await audit(page, "every kind, a ballot refused");
  await check("the summary leads to the question", async () => {
    await onward(page, () => page.getByRole("alert").getByRole("link").first().click());
    assert.match(page.url(), /#c-Q0$/);
  });
  await choose(option(page, "Có"));
  for (const group of (await questions(page).all()).slice(1)) await group.getByRole("radio").nth(1).check();
  await onward(page, () => press(next(page)));
  await check("a review shows every kind of answer in words", async () => {
    const said = await page.getByRole("main").innerText();
    for (const words of ["Có", "12", "Bưu chính công ích; Bộ phận một cửa", "Nhanh hơn\nvà gọn hơn", "Đã trả lời đủ 6 câu."]) {
      assert.ok(said.includes(words), words);
    }
  });
  await audit(page, "every kind, a full review");
  await onward(page, () => press(castButton(page)));
  await check("every kind, cast: a receipt", () => receipt(page));
  await audit(page, "every kind, a receipt");
  await page.context().close();
}

async function inEnglish({ field, browser, at }) {
  const audit = auditor(browser, "en");
  const page = await browser.device();
  const vietnamese = () => page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const left = [];
    while (walker.nextNode()) {
      const { textContent, parentElement } = walker.currentNode;
      if (/[ạ-ỹ]/.test(textContent) && parentElement.closest("[lang]").lang === "en" && !parentElement.closest("script")) left.push(textContent.trim());
    }
    return left;
  });
  const inItsLanguage = async (name) => {
    await audit(page, `${name} in English`);
    await check(`nothing on ${name} in English is Vietnamese`, async () => assert.deepEqual(await vietnamese(), []));
  };
  await page.goto(at("/"));
  await onward(page, () => press(page.getByRole("button", { name: "English" })));
  await inItsLanguage("the entry page");
  for (const path of ["/huong-dan", "/tro-nang", "/rieng-tu"]) {
    await page.goto(at(path));
    await inItsLanguage(`the page ${path}`);
  }
  await page.goto(at("/"));
  await page.getByLabel(/^One-time code/).fill(field.code("CC", "du-loai"));
  await onward(page, () => press(page.getByRole("button", { name: "Continue", exact: true })));
  await follow(page, { vi: false });
  await number(page).fill("many");
  await onward(page, () => press(page.locator("button[name=di][value=tiep]").last()));
  await inItsLanguage("every kind with a fault");
  await number(page).fill("3");
  await onward(page, () => press(page.locator("button[name=di][value=tiep]").last()));
  await inItsLanguage("the review");
  await check("in English, from the code to the receipt", async () => {
    await onward(page, () => press(page.getByRole("button", { name: /^Send the ballot/ })));
    await receipt(page);
  });
  await inItsLanguage("the receipt");
  await page.context().close();
}

async function byKeyboard({ field, browser, at }) {
  const page = await browser.device({ width: 1280, height: 900 });
  await check("every kind by keyboard alone, from the code to the receipt", async () => {
    await page.goto(at("/"));
    await tabTo(page, "the code", (now) => now.tag === "INPUT" && now.type === "text");
    await page.keyboard.type(field.code("CC", "du-loai"));
    await onward(page, () => page.keyboard.press("Enter"));
    const done = new Set();
    for (let screens = 0; new URL(page.url()).pathname === "/p"; screens += 1) {
      assert.ok(screens < 6, "the screens end");
      for (;;) {
        const now = await tabTo(page, "a question or the button", (one) => one.name.startsWith("c.") || NEXT.test(one.words));
        if (!now.name.startsWith("c.")) break;
        if (done.has(now.name)) continue;
        done.add(now.name);
        if (now.type === "radio" || now.type === "checkbox") {
          await page.keyboard.press("Space");
          assert.ok((await focus(page)).checked, now.name);
        } else {
          await page.keyboard.type(now.type === "textarea" ? "Gọn hơn" : "12");
        }
      }
      await onward(page, () => page.keyboard.press("Enter"));
    }
    assert.deepEqual([...done].sort(), ["c.Q0", "c.Q0A", "c.Q0B", "c.Q1", "c.Q2", "c.Q3"]);
    await tabTo(page, "the cast", (now) => now.tag === "BUTTON" && CAST.test(now.words));
    await onward(page, () => page.keyboard.press("Enter"));
    await receipt(page);
  });
  await page.context().close();
}

async function scriptsOff({ field, browser, at }) {
  const page = await browser.device({ scripts: false });
  await check("every kind with scripts off, with a change of mind: what is not asked any more is not cast", async () => {
    await enter(page, at, field.code("CC", "du-loai"));
    await questions(page).first().waitFor();
    await follow(page);
    await choose(page.getByRole("checkbox").first());
    await choose(option(page, "Không"));
    await number(page).fill("mười hai");
    await onward(page, () => press(next(page)));
    assert.equal(new URL(page.url()).pathname, "/p/xem-lai", "nobody can mend what is not asked any more");
    const said = await page.getByRole("main").innerText();
    assert.ok(!said.includes("Trực tuyến") && !said.includes("bao nhiêu thủ tục"), said);
    await onward(page, () => press(castButton(page)));
    await receipt(page);
  });
  await page.context().close();
}

async function listed({ field, browser, at }) {
  const page = await browser.device();
  await check("every kind about two targets: each has its own questions that follow", async () => {
    await enter(page, at, field.code("CC", "du-loai-hai"));
    const links = page.getByRole("main").getByRole("list").getByRole("link");
    await links.first().waitFor();
    assert.equal(await links.count(), 2);
    for (const [n, first] of ["Có", "Không"].entries()) {
      await onward(page, () => press(links.nth(n)));
      for (let screens = 0; await next(page).count() > 0; screens += 1) {
        assert.ok(screens < 8, "the screens end");
        if (await option(page, first).count() > 0) await choose(option(page, first));
        if (await number(page).count() > 0) await number(page).fill("2");
        for (const box of (await page.getByRole("checkbox").all()).slice(0, 2)) await choose(box);
        for (const group of await questions(page).all()) {
          if (await group.getByRole("radio", { checked: true }).count() === 0) await choose(group.getByRole("radio").first());
        }
        await onward(page, () => press(next(page)));
      }
    }
  });
  await auditor(browser)(page, "a list of targets of every kind");
  await check("and the ballot of both is cast", async () => {
    await onward(page, () => press(page.getByRole("link", { name: "Xem lại và gửi phiếu" })));
    await onward(page, () => press(castButton(page)));
    await receipt(page);
  });
  await page.context().close();
}
