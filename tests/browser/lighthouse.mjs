// Lighthouse on every respondent's page, with its defaults: a phone on a simulated slow 4G line. Prints a table and fails
// where a page is beyond its bounds. One command, not among the tests of every change (ten seconds and more a page):
//
//   npm ci --prefix tests/browser && PHIEU_BINARY=target/release/phieu node tests/browser/lighthouse.mjs [WORD IN A PAGE'S NAME]
//
// Lighthouse itself comes from npm at the first run. Best on a machine with nothing else to do: the pages are measured
// for real before the slow line is worked out.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answer, enter, next, onward, questions, whole } from "./form-journeys.mjs";
import { Browser, Field } from "./harness.mjs";

const LIGHTHOUSE = "lighthouse@12.8.2";
const TRIES = 3;
const MOST = { lcp: 1_000, cls: 0, bytes: 14_000, requests: 3, script: 3_000 };
const ONLINE = [["CC-CT", "SNV", 4], ["CC-ND", "CT", 1], ["CC-CH", "H502", 1], ["LĐ-CP", "H502-PKT", 1], ["LĐX-CH", "X20335", 1]];

const folder = mkdtempSync(join(tmpdir(), "phieu-lighthouse-"));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

// What Lighthouse says of a page that somebody with these cookies opens.
function measured(url, cookies) {
  const file = join(folder, "report.json");
  const words = [
    "--yes", LIGHTHOUSE, url, "--quiet", "--output=json", `--output-path=${file}`,
    "--only-categories=performance,accessibility,best-practices", "--chrome-flags=--headless=new --no-sandbox",
    ...(cookies ? [`--extra-headers=${JSON.stringify({ Cookie: cookies })}`] : []),
  ];
  const run = () => spawnSync("npx", words, { encoding: "utf8", env: { ...process.env, CHROME_PATH: CHROMIUM } });
  // A busy machine may miss the beginning of a load; that measures nothing.
  let done = run();
  for (let tries = 1; done.status !== 0 && tries < TRIES; tries += 1) done = run();
  if (done.status !== 0) throw new Error(`lighthouse on ${url}: ${done.stderr}`);
  const { categories, audits, finalDisplayedUrl } = JSON.parse(readFileSync(file, "utf8"));
  const sent = audits["network-requests"].details.items.filter((one) => !one.url.startsWith("data:"));
  const percent = (name) => Math.round(categories[name].score * 100);
  return {
    scores: ["performance", "accessibility", "best-practices"].map(percent),
    lcp: Math.round(audits["largest-contentful-paint"].numericValue),
    fcp: Math.round(audits["first-contentful-paint"].numericValue),
    cls: audits["cumulative-layout-shift"].numericValue,
    bytes: sent.reduce((sum, one) => sum + one.transferSize, 0),
    requests: sent.length,
    landed: new URL(finalDisplayedUrl).pathname,
  };
}

// The script that stands in the page, in bytes; files of scripts are among the requests.
async function scriptOf(page) {
  return page.evaluate(() => [...document.scripts].reduce((sum, one) => sum + new TextEncoder().encode(one.text).length, 0));
}

// The pages with the cookies that they need.
async function pages(field, various, browser) {
  const all = [];
  const cookies = async (page) => (await page.context().cookies()).map((one) => `${one.name}=${one.value}`).join("; ");
  const note = async (name, page, at) => {
    await page.goto(at);
    all.push({ name, url: page.url().split("#")[0], cookies: await cookies(page), script: await scriptOf(page) });
  };
  const at = (path) => `${field.base}${path}`;
  const anybody = await browser.device();
  for (const path of ["/", "/huong-dan", "/tro-nang", "/rieng-tu", "/kiem-tra", "/thoat"]) await note(`\`${path}\``, anybody, at(path));
  for (const [group] of ONLINE) {
    const page = await browser.device();
    await enter(page, at, field.code(group));
    await page.waitForURL(at("/p*"));
    await note(`${group}: \`/p\`, nothing answered`, page, at("/p"));
    const task = page.getByRole("main").getByRole("list").getByRole("link").first();
    if (await questions(page).count() === 0) await note(`${group}: a section, nothing answered`, page, await task.evaluate((a) => a.href));
    await note(`${group}: \`/p/xem-lai\`, all blank`, page, at("/p/xem-lai"));
    await page.context().close();
  }
  const page = await browser.device();
  await enter(page, at, field.code("CC-CT"));
  await questions(page).first().waitFor();
  await answer(page, (n) => n % 6);
  await onward(page, () => next(page).click());
  await note("CC-CT: `/p?phan=1`, answered", page, at("/p?phan=1"));
  await note("CC-CT: `/p/xem-lai`, answered", page, at("/p/xem-lai"));
  await whole(page, at, field.code("CC-CT"));
  await note("`/p/xong`", page, at("/p/xong"));
  const kinds = await browser.device();
  const there = (path) => `${various.base}${path}`;
  await enter(kinds, there, various.code("CC", "du-loai"));
  await questions(kinds).first().waitFor();
  await note("every kind: `/p`, nothing answered", kinds, there("/p?phan=1"));
  for (const path of ["/", "/huong-dan", "/rieng-tu"]) {
    await kinds.context().addCookies([{ name: "phieu_lang", value: "en", url: various.base }]);
    await note(`\`${path}\` in English`, kinds, there(path));
  }
  return all;
}

const [field, various] = [new Field(), new Field()];
let faults = 0;
try {
  field.round("dang-mo", [-1, 5], ONLINE);
  various.round("du-loai", [-1, 5], [["CC", "SNV", 1]], { of: "mau-day-du" });
  await Promise.all([field.serve(), various.serve()]);
  const browser = await Browser.launch(field.base);
  const wanted = (await pages(field, various, browser)).filter(({ name }) => name.includes(process.argv[2] ?? ""));
  await browser.chromium.close();
  console.log("| page | performance, accessibility, best practices | FCP s | LCP s | CLS | requests | bytes | own script | |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const { name, url, cookies, script } of wanted) {
    const got = { ...measured(url, cookies), script };
    const beyond = Object.keys(MOST).filter((what) => got[what] > MOST[what]);
    if (got.scores.some((score) => score < 100)) beyond.push("score");
    if (got.landed !== new URL(url).pathname) beyond.push(`landed on ${got.landed}`);
    faults += beyond.length;
    const s = (ms) => (ms / 1000).toFixed(2);
    console.log(`| ${name} | ${got.scores.join(", ")} | ${s(got.fcp)} | ${s(got.lcp)} | ${got.cls} | ${got.requests} | ${got.bytes} | ${script} | ${beyond.join(", ") || "ok"} |`);
  }
  console.log(`${wanted.length} pages, ${faults} beyond their bounds`);
} finally {
  await Promise.all([field.stop(), various.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
process.exit(faults === 0 ? 0 : 1);
