// The respondent's form in a real Chromium: every page in every state, what each weighs, the journey by keyboard, with
// scripts off and by thumb, and what becomes of a ballot when people and networks do as they do. `node
// tests/browser/form.mjs kinds` runs a part.

import assert from "node:assert/strict";
import { Browser, Field, check, summary } from "./harness.mjs";
import { keyboard, scriptsOff, slowPhone, thumbs } from "./form-journeys.mjs";
import { kinds } from "./form-kinds.mjs";
import { mishaps } from "./form-mishaps.mjs";
import { states } from "./form-states.mjs";
import { time } from "./form-time.mjs";
import { weights } from "./form-weights.mjs";

const GROUPS = [["CC-CT", "SNV", 40], ["CC-ND", "CT", 2], ["CC-CH", "H502", 2], ["LĐ-CP", "H502-PKT", 4], ["LĐX-CH", "X20335", 2], ["HĐ-CT", null, 6], ["LĐH-CH", null, 2], ["LĐS-CT", null, 2]];

// Every kind of question, in two languages; and once more with a list of targets.
const EVERY_KIND = { of: "mau-day-du" };
const LISTED = { of: "mau-day-du", mend: (text) => text.replace('rates = "own_unit"', 'rates = { targets = ["SNV", "STP"] }') };

const field = new Field();
// A service without any round: for its empty page, and for an allowance that is spent.
const empty = new Field();
const various = new Field();
// Names of parts, to run them alone.
const only = process.argv.slice(2);
let browser;
let code = 1;
try {
  field.round("dang-mo", [-1, 5], GROUPS);
  field.round("chua-mo", [2, 9], [["CC-CT", "SNV", 2]]);
  field.round("da-het", [-9, -1], [["CC-CT", "SNV", 2]]);
  // On a service of its own: a second language is offered wherever a round has one.
  various.round("du-loai", [-1, 5], [["CC", "SNV", 8]], EVERY_KIND);
  various.round("du-loai-hai", [-1, 5], [["CC", "SNV", 3]], LISTED);
  await Promise.all([various.serve(), field.serve(), empty.serve()]);
  browser = await Browser.launch(field.base);
  const scene = { field, empty, browser, at: (path) => `${field.base}${path}` };
  const manifold = { ...scene, field: various, at: (path) => `${various.base}${path}` };
  for (const part of [states, weights, keyboard, scriptsOff, thumbs, kinds, mishaps, time, slowPhone]) {
    if (only.length === 0 || only.includes(part.name)) await part(part === kinds ? manifold : scene);
  }
  await check("no page of the form complained in its console", () => assert.deepEqual(browser.complaints, []));
} catch (error) {
  await check("the form's tests reach their end", () => { throw error; });
} finally {
  await browser?.chromium.close();
  await Promise.all([field.stop(), empty.stop(), various.stop()]);
  code = summary();
}
process.exit(code);
