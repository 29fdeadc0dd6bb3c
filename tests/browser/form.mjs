// The respondent's form in a real Chromium: every page in every state, what each weighs, the journey by keyboard, with
// scripts off and by thumb, and what becomes of a ballot when people and networks do as they do.

import assert from "node:assert/strict";
import { Browser, Field, check, summary } from "./harness.mjs";
import { keyboard, scriptsOff, slowPhone, thumbs } from "./form-journeys.mjs";
import { mishaps } from "./form-mishaps.mjs";
import { states } from "./form-states.mjs";
import { time } from "./form-time.mjs";
import { weights } from "./form-weights.mjs";

const GROUPS = [["CC-CT", "SNV", 40], ["CC-ND", "CT", 2], ["CC-CH", "H502", 2], ["LĐ-CP", "H502-PKT", 4], ["LĐX-CH", "X20335", 2], ["HĐ-CT", null, 2], ["LĐH-CH", null, 2], ["LĐS-CT", null, 2]];

const field = new Field();
// A service without any round: for its empty page, and for an allowance that is spent.
const empty = new Field();
let browser;
let code = 1;
try {
  field.round("dang-mo", [-1, 5], GROUPS);
  field.round("chua-mo", [2, 9], [["CC-CT", "SNV", 2]]);
  field.round("da-het", [-9, -1], [["CC-CT", "SNV", 2]]);
  await Promise.all([field.serve(), empty.serve()]);
  browser = await Browser.launch(field.base);
  const scene = { field, empty, browser, at: (path) => `${field.base}${path}` };
  await states(scene);
  await weights(scene);
  await keyboard(scene);
  await scriptsOff(scene);
  await thumbs(scene);
  await mishaps(scene);
  await time(scene);
  await slowPhone(scene);
  await check("no page of the form complained in its console", () => assert.deepEqual(browser.complaints, []));
} catch (error) {
  await check("the form's tests reach their end", () => { throw error; });
} finally {
  await browser?.chromium.close();
  await Promise.all([field.stop(), empty.stop()]);
  code = summary();
}
process.exit(code);
