// A round's folder on the web: uploaded as a zip, its faults read, loaded by a second person.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { check, press } from "./harness.mjs";

const FOLDER = resolve("survey-forms/rounds/quang-nam-2023");

async function signIn(demo, browser, role) {
  const page = await browser.device({ width: 1280, height: 900 });
  const { name, password } = demo.staffed(role);
  await page.goto(`${demo.base_url}/dang-nhap?tiep=/quan-tri/dot`);
  await page.fill("#name", name);
  await page.fill("[type=password]", password);
  await press(page.locator("main form button"));
  await page.waitForURL(`${demo.base_url}/quan-tri/dot`);
  return page;
}

// A zip of the plan's folder under another id, with changes to its files.
function zipped(demo, id, changes) {
  const folder = join(demo.folder, id);
  cpSync(FOLDER, folder, { recursive: true });
  for (const [file, change] of Object.entries(changes)) {
    writeFileSync(join(folder, file), change(readFileSync(join(folder, file), "utf8")));
  }
  const done = spawnSync("python3", ["-m", "zipfile", "-c", `${folder}.zip`, folder], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  return `${folder}.zip`;
}

const renamed = (id) => (text) => text.replace(/^id = ".*"/m, `id = "${id}"`);

async function send(page, zip) {
  await page.setInputFiles("#tep", zip);
  await press(page.locator("form[enctype] button"));
  await page.waitForURL(/\/(de-xuat\/|dot)/);
}

export async function loadRound(demo, browser) {
  const one = await signIn(demo, browser, "administrator");
  await browser.audit(one, "the page of rounds");

  await check("something that is no zip is refused in Vietnamese, on the same page", async () => {
    const text = join(demo.folder, "khong-phai.zip");
    writeFileSync(text, "%PDF-1.7");
    await send(one, text);
    assert.match(await one.locator("[role=alert]").textContent(), /không phải tệp \.zip/);
    assert.equal(await one.locator("#tep").getAttribute("aria-invalid"), "true");
  });
  await browser.audit(one, "the page of rounds with a refusal");

  await check("the faults of a folder are named with file, place and remedy", async () => {
    await one.goto(`${demo.base_url}/quan-tri/dot`);
    await send(one, zipped(demo, "co-loi", {
      "round.toml": (text) => renamed("co-loi")(text).replace("k = 10", "k = 4").replace('weight = "1"', 'weight = "0"'),
      "targets.tsv": (text) => text.replace("STP\tso\t", "STP\tso "),
      "criteria.tsv": () => Buffer.from([0x53, 0xeb, 0x20, 0x4e, 0xe9, 0x69, 0x20, 0x76, 0xf4]),
    }));
    const text = await one.textContent("main");
    for (const words of ["lỗi phải sửa", "targets.tsv", "dòng 3", "TCVN3 (ABC)", "Nên xem lại"]) {
      assert.ok(text.includes(words), `${words} is not in: ${text}`);
    }
    assert.equal(await one.locator("form[action$=xac-nhan]").count(), 0);
  });
  await browser.audit(one, "the faults of a folder");

  await check("whoever uploaded a folder cannot confirm it", async () => {
    await one.goto(`${demo.base_url}/quan-tri/dot`);
    await send(one, zipped(demo, "dot-moi", { "round.toml": renamed("dot-moi") }));
    assert.equal(await one.locator("form[action$=xac-nhan]").count(), 0);
    assert.match(await one.textContent("main"), /quản trị viên hoặc phụ trách điều tra khác/);
  });
  for (const details of [one.locator("details").first(), one.locator("details").last()]) {
    await details.evaluate((element) => { element.open = true; });
  }
  await browser.audit(one, "a proposal");

  const other = await signIn(demo, browser, "supervisor");
  await check("a second person reads what it would do, and loads it", async () => {
    await press(other.locator("table a").first());
    await other.waitForURL(/de-xuat/);
    const hash = (await one.locator("p.code").last().textContent()).trim();
    assert.equal((await other.locator("form[action$=xac-nhan] p.code").textContent()).trim(), hash);
    await press(other.locator("form[action$=xac-nhan] button"));
    await other.waitForURL(/kq=nap/);
    assert.match(await other.locator("[role=status]").textContent(), /Đã nạp/);
    assert.match(demo.command("round", "list"), /^dot-moi\tloaded/m);
  });
  await browser.audit(other, "the page of rounds after a load");
  for (const page of [one, other]) await page.context().close();
}
