// Every page that a respondent can meet, in every state: no violation of accessibility, nothing cut off down to 320 px
// (which is 400 % zoom at 1280), and controls that can be seen in forced colours.

import assert from "node:assert/strict";
import { answer, castButton, enter, fillAll, next, onward, questions } from "./form-journeys.mjs";
import { check, press } from "./harness.mjs";

const UNKNOWN = "0000-0000-0000-0000-0000-0000";
const SIZES = [[320, 640], [768, 1024], [1280, 900]];

// In the page: what is cut off, or wider than the screen, though somebody is to read or use it.
function cutOff() {
  const faults = [];
  for (const element of document.querySelectorAll("body *")) {
    const [box, style] = [element.getBoundingClientRect(), getComputedStyle(element)];
    // Not shown, or out of sight until it has the focus.
    if (box.width === 0 || box.height === 0 || style.visibility === "hidden" || box.right <= 0) continue;
    const scrolls = element.closest("[style*=overflow], .table-wrap") !== null;
    const name = `${element.tagName.toLowerCase()} ${element.textContent.trim().slice(0, 40)}`;
    if (!scrolls && (box.right > innerWidth + 1 || box.left < -1)) faults.push(`beyond the edge: ${name}`);
    const clips = style.overflowX !== "visible" || element.matches("input");
    if (clips && !scrolls && element.scrollWidth > element.clientWidth + 1) faults.push(`cut off: ${name}`);
  }
  return faults.slice(0, 5);
}

// In the page, under forced colours: controls that only a colour of the author's would show.
function unseen() {
  const controls = [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea, fieldset label")];
  const faults = [];
  for (const control of controls) {
    const [box, style] = [control.getBoundingClientRect(), getComputedStyle(control)];
    if (box.width === 0 || box.right <= 0 || style.visibility === "hidden") continue;
    const edged = style.borderTopStyle !== "none" && parseFloat(style.borderTopWidth) >= 1 && style.borderTopColor !== style.backgroundColor;
    const native = control.matches("[type=radio], [type=checkbox]") && style.appearance !== "none";
    const linked = control.matches("a, button") && (style.textDecorationLine.includes("underline") || control.closest("header, nav"));
    if (!edged && !native && !linked) faults.push(`no edge: ${control.tagName} ${control.textContent.trim()}`);
    if (style.color === style.backgroundColor) faults.push(`no contrast: ${control.tagName} ${control.textContent.trim()}`);
    if (style.forcedColorAdjust === "none") faults.push(`refuses: ${control.tagName}`);
  }
  return faults.slice(0, 5);
}

// Audits a page in every size and colour, in the language that it should be in.
export const auditor = (browser, lang = "vi") => async (page, name) => {
  await browser.audit(page, name, { sizes: SIZES, look: cutOff });
  await check(`forced colours: every control of ${name} can be seen`, async () => {
    await page.emulateMedia({ forcedColors: "active" });
    assert.deepEqual(await page.evaluate(unseen), []);
    await page.emulateMedia({ forcedColors: "none" });
  });
  await check(`${name} is in its language (${lang}), with one heading and a title`, async () => {
    assert.equal(await page.locator("html").getAttribute("lang"), lang);
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    assert.ok((await page.title()).length > 10);
  });
};

export async function states({ field, empty, browser, at }) {
  const audit = auditor(browser);
  // The status of whatever the page went to last.
  let status = 0;
  const device = async () => {
    const page = await browser.device();
    page.on("response", (response) => { if (response.request().isNavigationRequest()) status = response.status(); });
    return page;
  };
  const meets = async (name, wanted, page) => {
    await check(`${name} answers ${wanted}`, () => assert.equal(status, wanted));
    await audit(page, name);
  };
  const entered = async (name, code, wanted) => {
    const page = await device();
    await enter(page, at, code);
    await page.getByRole("alert").waitFor();
    await meets(name, wanted, page);
    await page.context().close();
  };

  // A fault that the code itself shows: said by the page's script or by the service, and the field says it too.
  const faulty = async (name, code) => {
    const page = await device();
    await enter(page, at, code);
    await check(`${name} is said at the field, and stays to be mended`, async () => {
      await page.locator("[aria-invalid=true]").waitFor();
      assert.equal(await page.getByLabel(/^Mã phiếu/).inputValue(), code);
    });
    await audit(page, name);
    await page.context().close();
  };

  await reading({ device, meets, at });
  const code = field.code("CC-CT");
  await faulty("a code too short", code.slice(0, 12));
  await faulty("a mistyped code", code.slice(0, -1) + (code.endsWith("7") ? "8" : "7"));
  await entered("an unknown code", UNKNOWN, 404);
  await entered("a round that is not open yet", field.code("CC-CT", "chua-mo"), 409);
  await entered("a round that is over", field.code("CC-CT", "da-het"), 409);
  await entered("a code of a paper ballot", field.code("HĐ-CT"), 409);
  const revoked = field.code("CC-CT");
  field.command(["codes", "revoke"], `${revoked}\n`);
  await entered("a revoked code", revoked, 410);

  const page = await device();
  await enter(page, at, code);
  await questions(page).first().waitFor();
  await meets("the questions", 200, page);
  await questions(page).last().waitFor();
  const [last] = (await questions(page).all()).slice(-1);
  await answer(page, (n) => n % 6);
  await press(last.getByRole("button", { name: /^Bỏ chọn/ }));
  await page.waitForURL(/#c-/);
  await questions(page).first().getByRole("radio").nth(3).check();
  await page.getByRole("status").filter({ hasText: "Đã lưu" }).waitFor();
  await page.goto(at("/p?phan=1"));
  await check("the questions are answered but for the one taken back", async () => assert.equal(await page.getByRole("radio", { checked: true }).count(), await questions(page).count() - 1));
  await meets("the questions with answers", 200, page);
  const gone = await page.context().cookies();
  await page.context().clearCookies();
  await onward(page, () => next(page).click());
  await meets("a device that forgot the code", 422, page);
  await page.context().addCookies(gone);
  await page.goto(at("/"));
  await meets("the entry page with a ballot under way", 200, page);
  await page.goto(at("/p?phan=1"));
  await page.getByRole("button", { name: /xem lại/ }).click();
  await page.waitForURL(at("/p/xem-lai"));
  await meets("a review with blanks", 200, page);
  await page.goto(at("/p?phan=1"));
  await fillAll(page);
  await meets("a review without blanks", 200, page);
  await castButton(page).click();
  await page.waitForURL(at("/p/xong"));
  await meets("a receipt", 200, page);
  await page.getByRole("button", { name: /^Thoát/ }).click();
  await page.waitForURL(at("/thoat"));
  await meets("a device signed out", 200, page);
  await enter(page, at, code);
  await check("a used code leads to its receipt", () => page.waitForURL(at("/p/xong")));
  await page.context().close();

  const blank = await device();
  await enter(blank, at, field.code("CC-CT"));
  await questions(blank).first().waitFor();
  await blank.goto(at("/p/xem-lai"));
  await meets("a review of nothing", 200, blank);
  await blank.evaluate(() => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: location.pathname });
    document.body.append(form);
    form.submit();
  });
  await blank.waitForLoadState();
  await blank.getByRole("alert").waitFor();
  await meets("an empty ballot refused", 422, blank);
  await blank.context().close();

  const list = await device();
  await enter(list, at, field.code("LĐ-CP"));
  await list.waitForURL(at("/p"));
  await meets("a list of targets", 200, list);
  await onward(list, () => list.getByRole("main").getByRole("list").getByRole("link").first().click());
  await answer(list);
  await onward(list, () => next(list).click());
  await list.goto(at("/p"));
  await meets("a list of targets, one begun", 200, list);
  await list.context().close();

  await emptyService({ empty, device, meets });
}

// The pages that need no code.
async function reading({ device, meets, at }) {
  const page = await device();
  await page.goto(at("/"));
  await meets("the entry page", 200, page);
  const links = await page.getByRole("contentinfo").getByRole("link").evaluateAll((all) => all.map((link) => link.pathname));
  await check("the foot of each page leads to help and to what is kept", () => {
    for (const path of ["/huong-dan", "/rieng-tu"]) assert.ok(links.includes(path), path);
  });
  for (const path of new Set([...links, "/huong-dan", "/rieng-tu"])) {
    await page.goto(at(path));
    await meets(`the page ${path}`, 200, page);
  }
  for (const path of ["/khong-co", "/p?phan=hai"]) {
    await page.goto(at(path));
    await meets(`the page ${path}`, path.includes("?") ? 400 : 404, page);
  }
  await page.context().close();
}

async function emptyService({ empty, device, meets }) {
  const at = (path) => `${empty.base}${path}`;
  const page = await device();
  await page.goto(at("/"));
  await meets("the entry page without any round", 200, page);
  await page.context().close();
  const spend = () => fetch(at("/p"), { method: "POST", body: new URLSearchParams({ ma: UNKNOWN }), redirect: "manual" });
  for (let spent = 0; spent < 70; spent += 1) await spend();
  // The allowance grows again by one a second: it is kept low meanwhile, and who comes at that moment comes again.
  const low = setInterval(() => spend().catch(() => {}), 100);
  const refused = await device();
  for (let tries = 0; tries < 5 && await refused.getByText(/^Có quá nhiều lần thử/).count() === 0; tries += 1) {
    await enter(refused, at, UNKNOWN);
    await refused.getByRole("alert").waitFor();
  }
  clearInterval(low);
  await meets("a page for too many attempts", 429, refused);
  await refused.context().close();
}
