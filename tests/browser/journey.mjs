// One journey through the survey in a real Chromium: a respondent with two devices, a paper ballot that two clerks read
// differently, the round's end, its results, and the next round's folder. Prints a line a check, and last how many passed and failed.

import assert from "node:assert/strict";
import { join } from "node:path";
import { Browser, Demo, check, choose, eventually, press, summary } from "./harness.mjs";
import { castPaper } from "./paper.mjs";
import { loadRound } from "./rounds.mjs";

const OPTIONS = ["A", "B", "C", "D", "E", "N"];
// Answered on the second device, and not at all.
const LATER = ["X6.1", "X7.1"];
const BLANK = "X7.1";
const demo = await Demo.start(40);
const browser = await Browser.launch(demo.base_url);
const at = (path) => `${demo.base_url}${path}`;
let code = 200;
try {
  await journey();
} catch (error) {
  await check("the journey reaches its end", () => { throw error; });
} finally {
  await browser.chromium.close();
  await demo.stop();
  code = summary();
}
process.exit(code);

async function journey() {
  const before = await returned();
  const answered = await respondent();
  await severalTargets();
  await otherPages();
  await castPaper(demo, browser);
  await monitoring(before + 2);
  await theEnd(answered);
  await loadRound(demo, browser);
  await check("no page complained in its console", () => assert.deepEqual(browser.complaints, []));
  await check("no page asked another host for anything", () => assert.deepEqual(browser.strangers, []));
}

async function returned() {
  return (await (await demo.api(`/rounds/${demo.round}/rates`)).json()).returned;
}

// Chooses an option for every item on the screen, but for those that are to stay blank.
async function fill(page, answers, blank = []) {
  const items = await page.locator("fieldset[id^='c-']").evaluateAll((all) => all.map((one) => one.id.slice(2)));
  assert.ok(items.length > 0, `no question on ${page.url()}`);
  for (const item of items.filter((one) => !blank.includes(one))) {
    const option = OPTIONS[Object.keys(answers).length % OPTIONS.length];
    await choose(page.locator(`input[name="c.${item}"][value="${option}"]`));
    answers[item] = option;
  }
}

async function chosen(page) {
  const radios = page.locator("input[type=radio]:checked");
  return radios.evaluateAll((all) => Object.fromEntries(all.map((one) => [one.name.slice(2), one.value])));
}

// The number as the API has it: the page shows it in groups.
async function receiptOn(page) {
  const shown = await page.textContent("p.code");
  return shown.replaceAll(/\s/g, "");
}

async function respondent() {
  const code = demo.code("CC-CT");
  const answers = {};
  const phone = await browser.device();
  await entry(phone, code);

  await check("the code in a QR code's fragment is in the field, and out of the address", async () => {
    await phone.goto(`${at("/p")}#${code}`);
    assert.equal(await phone.inputValue("#ma"), code);
    assert.equal(new URL(phone.url()).hash, "");
    await phone.keyboard.press("Enter");
    await phone.getByRole("group").first().waitFor();
    assert.equal(await phone.getByRole("heading", { level: 2 }).count(), 7, "the sections, on one screen");
  });
  await browser.audit(phone, "the questions");
  await check("each answer is kept as it is chosen", async () => {
    assert.deepEqual(await chosen(phone), {}, "nothing is chosen in advance");
    const kept = phone.waitForResponse((r) => r.request().method() === "POST" && r.status() === 303);
    await fill(phone, answers, LATER);
    await kept;
    await phone.getByText("Đã lưu nháp").waitFor();
    // No button was pressed yet: whoever has the code finds the answers elsewhere.
    const elsewhere = await browser.device({ state: await phone.context().storageState() });
    await eventually("the answers are kept", async () => {
      await elsewhere.goto(at("/p?phan=1"));
      return JSON.stringify(await chosen(elsewhere)) === JSON.stringify(answers);
    });
    await elsewhere.context().close();
  });
  await check("the button leads to the review", async () => {
    await phone.click("button[name=di][value=tiep]:visible >> nth=-1");
    await phone.waitForURL(at("/p/xem-lai"));
  });
  await phone.context().close();

  const desktop = await browser.device({ width: 1280, height: 900, scripts: false });
  await check("a second device without scripts goes on where the first one stopped", async () => {
    await desktop.goto(at("/"));
    await desktop.fill("#ma", code.toLowerCase().replaceAll("-", " "));
    await desktop.click("main form button:not(.quiet)");
    assert.equal(new URL(desktop.url()).hash, `#c-${LATER[0]}`, "the first question without an answer");
    assert.deepEqual(await chosen(desktop), answers);
  });
  await check("every question can be answered without scripts, up to the review", async () => {
    await fill(desktop, answers, [BLANK]);
    await press(desktop.locator("button[name=di][value=tiep]").last());
    assert.equal(new URL(desktop.url()).pathname, "/p/xem-lai");
  });
  await check("the review names the one blank", async () => {
    const text = await desktop.textContent("main");
    assert.match(text, /Còn 1\/\d+ câu để trống/);
    assert.equal(await desktop.locator("dl.summary dd").count(), Object.keys(answers).length + 1);
  });
  const state = await desktop.context().storageState();
  await browser.weights(state, ["/", "/p?phan=1", "/p/xem-lai", "/huong-dan", "/rieng-tu"]);
  const onPhone = await browser.device({ state });
  await onPhone.goto(at("/p/xem-lai"));
  await browser.audit(onPhone, "the review");
  await onPhone.context().close();

  let receipt;
  await check("the ballot is cast without scripts, and there is a receipt", async () => {
    await desktop.click("form[action$='/p/xem-lai'] button");
    assert.equal(new URL(desktop.url()).pathname, "/p/xong");
    receipt = await receiptOn(desktop);
    assert.match(receipt, /^[0-9a-f]{64}$/);
  });
  await check("going back and sending again shows the same receipt", async () => {
    await desktop.goBack();
    await desktop.goto(at("/p/xem-lai"));
    assert.equal(await receiptOn(desktop), receipt);
  });
  await desktop.context().close();

  const another = await browser.device();
  await check("the same code on another device shows the same receipt", async () => {
    await another.goto(at("/"));
    await another.fill("#ma", code);
    await another.keyboard.press("Enter");
    await another.waitForURL(at("/p/xong"));
    assert.equal(await receiptOn(another), receipt);
  });
  await browser.audit(another, "the receipt");
  await browser.weights(await another.context().storageState(), ["/p/xong"]);
  await check("the same code over the API gets the same receipt", async () => {
    const body = JSON.stringify({ code, answers: {} });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(at("/api/v1/ballots"), { method: "POST", headers, body });
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).receipt, receipt);
  });
  await check("leaving makes the device forget the code", async () => {
    await another.goto(at("/p/xong"));
    await another.locator("form[action$='/thoat'] button").first().click();
    await another.waitForURL(at("/thoat"));
    await another.goto(at("/p/xong"));
    assert.equal(await another.locator("p.code").count(), 0);
  });
  await another.context().close();
  return { code, receipt };
}

async function entry(page, code) {
  await page.goto(at("/"));
  await browser.audit(page, "the entry page");
  await check("a wrong symbol is named at once, and what was typed stays", async () => {
    const wrong = code.slice(0, -1) + (code.endsWith("7") ? "8" : "7");
    await page.fill("#ma", wrong);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    assert.match(await page.title(), /^Lỗi: /);
    assert.equal(await page.inputValue("#ma"), wrong);
    assert.equal(await page.getAttribute("#ma", "aria-invalid"), "true");
  });
  await browser.audit(page, "the entry page with a fault");
}

// A code that rates several departments: the list of them, and back to it.
async function severalTargets() {
  const page = await browser.device();
  let found = false;
  await check("a ballot about several departments starts with the list of them", async () => {
    for (const code of demo.codes["LĐ-CP"].slice(0, 12)) {
      await page.goto(at("/"));
      await page.fill("#ma", code);
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.pathname === "/p");
      found = (await page.locator("ul.tasks li").count()) > 1;
      if (found) break;
      await page.context().clearCookies();
    }
    assert.ok(found, "none of twelve codes has several targets");
  });
  if (found) {
    await browser.audit(page, "the list of departments");
    await browser.weights(await page.context().storageState(), ["/p"]);
  }
  await page.context().close();
}

async function otherPages() {
  const page = await browser.device();
  const visits = [["/huong-dan", "help"], ["/rieng-tu", "what is kept"], ["/dang-nhap", "sign in"], ["/khong-co", "a missing page"], ["/ket-qua", "results before any"]];
  for (const [path, name] of visits) {
    await page.goto(at(path));
    await browser.audit(page, name);
  }
  await page.goto(at("/"));
  await page.fill("#ma", demo.code("HĐ-CT"));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Đây là mã của phiếu giấy" }).waitFor();
  await browser.audit(page, "a paper code online");
  await check("the API's documentation opens offline", async () => {
    await page.goto(at("/docs"));
    await page.getByText("/api/v1/ballots/form").first().waitFor();
  });
  await page.context().close();
}

async function monitoring(expected) {
  const other = await browser.device();
  const page = await browser.device({ width: 1280, height: 900 });
  await check("an observer signs in and is led to the monitoring page", async () => {
    const { name, password } = demo.staffed("observer");
    await page.goto(at("/giam-sat"));
    assert.equal(new URL(page.url()).pathname, "/dang-nhap");
    await page.fill("#name", name);
    await page.fill("#password", password);
    await page.keyboard.press("Enter");
    await page.waitForURL(at("/giam-sat"));
  });
  await check("the monitoring page counts both ballots, as the API does", async () => {
    const rates = await (await demo.api(`/rounds/${demo.round}/rates`)).json();
    assert.equal(rates.returned, expected);
    await page.goto(at("/giam-sat"));
    const shown = page.locator("dl.summary div", { hasText: "Phiếu thu về" }).locator("dd");
    assert.equal(Number((await shown.first().textContent()).replaceAll(".", "")), expected);
    const groups = page.locator("table", { hasText: "Theo nhóm người trả lời" }).locator("tbody tr");
    const rows = await groups.evaluateAll((all) => all.map((row) => [row.cells[0].querySelector(".small"), row.cells[1], row.cells[2]].map((c) => c.textContent.trim())));
    const wanted = rates.groups.map((g) => [`(${g.respondent_code})`, String(g.issued), String(g.returned)]);
    assert.deepEqual(rows.map(([group, ...n]) => [group, ...n.map((x) => x.replaceAll(".", ""))]), wanted);
    assert.equal(await page.locator("figure.chart svg polyline").count(), 1);
  });
  await browser.audit(page, "monitoring");
  await check("the administrator sees the round", async () => {
    const { name, password } = demo.staffed("administrator");
    await other.goto(at("/quan-tri"));
    await other.fill("#name", name);
    await other.fill("#password", password);
    await other.keyboard.press("Enter");
    await other.waitForURL(at("/quan-tri"));
    assert.ok((await other.textContent("main")).includes(demo.round));
  });
  await browser.audit(other, "administration");
  await other.context().close();
  await check("an observer may not key ballots", async () => {
    const answer = await page.goto(at("/nhap-phieu"));
    assert.equal(answer.status(), 403);
  });
  await browser.audit(page, "a page for others");
  await page.context().close();
}

// Close, open the box, publish by the program's commands; the index engine reads; everybody sees.
async function theEnd({ code, receipt }) {
  await check("scores are refused before publication", async () => {
    const answer = await demo.api(`/rounds/${demo.round}/scores`);
    assert.equal(answer.status, 409);
    assert.equal((await answer.json()).code, "not_published");
  });
  await check("the round is closed, its box opened, its scores published", () => {
    demo.command("round", "close", demo.round);
    demo.command("box", "open", demo.round, "--key", join(demo.data, `box-${demo.round}.key`));
    demo.command("round", "publish", demo.round, "--force-early");
  });
  let document;
  await check("the index engine reads the scores of all 43 targets", async () => {
    const answer = await eventually("the scores", async () => {
      const asked = await demo.api(`/rounds/${demo.round}/scores`);
      return asked.status === 200 ? asked : null;
    });
    document = await answer.json();
    assert.equal(document.round, demo.round);
    assert.equal(document.targets.length, 43);
    assert.ok(document.targets.some((target) => /^\d+\.\d\d$/.test(target.survey_points ?? "")));
  });
  const page = await browser.device();
  await check("the page of results shows each target's rank and percent", async () => {
    await page.goto(at("/ket-qua"));
    const rows = await page.locator("table").evaluateAll((tables) => tables.flatMap((table) => [...table.querySelectorAll("tbody tr")]
      .filter((row) => row.querySelector("th a")).map((row) => [row.querySelector("th").textContent, row.cells[0].firstChild.textContent, row.cells[2].firstChild.textContent].map((c) => c.trim()))));
    const shown = Object.fromEntries(rows.map(([name, rank, percent]) => [name, [rank, percent.replace(",", ".")]]));
    assert.equal(rows.length, 43);
    for (const { name, rank, percent } of document.targets) assert.deepEqual(shown[name], [String(rank ?? "–"), percent ?? "–"], name);
  });
  await browser.audit(page, "results");
  await check("a target's own page shows its items", async () => {
    const best = document.targets.find((target) => target.rank === 1);
    await page.getByRole("link", { name: best.name, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: best.name }).waitFor();
    assert.ok((await page.textContent("main")).includes(best.percent.replace(".", ",")) || (await page.textContent("main")).includes(best.percent));
  });
  await browser.audit(page, "a target's results");
  await check("after the close the receipt is still there, and a new ballot is refused", async () => {
    await page.goto(at("/"));
    await page.fill("#ma", code);
    await page.keyboard.press("Enter");
    await page.waitForURL(at("/p/xong"));
    assert.equal(await receiptOn(page), receipt);
    await page.context().clearCookies();
    await page.goto(at("/"));
    await page.fill("#ma", demo.code("CC-CT"));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Đã hết hạn nhận phiếu" }).waitFor();
  });
  await browser.audit(page, "after the close");
  await page.context().close();
}
