// What every page of every questionnaire weighs as served, with all that it asks for; and that nothing on it moves.

import assert from "node:assert/strict";
import { enter, whole } from "./form-journeys.mjs";
import { check, fetched } from "./harness.mjs";

const MOST_BYTES = 14_000;
const MOST_REQUESTS = 3;
const MOST_SCRIPT = 3_000;
const ONLINE = ["CC-CT", "CC-ND", "CC-CH", "LĐ-CP", "LĐX-CH"];
const PAPER = ["HĐ-CT", "LĐH-CH", "LĐS-CT"];

// A page and its style sheets and scripts, by HTTP.
async function cost(base, path, cookie) {
  const page = await fetched(`${base}${path}`, { cookie });
  const assets = [...page.text.matchAll(/<(?:link rel="stylesheet"|script|img)[^>]*?(?:href|src)="([^"]+)"/g)].map((found) => found[1]);
  const parts = await Promise.all(assets.filter((one) => !one.startsWith("data:")).map((one) => fetched(`${base}${one}`)));
  for (const part of parts) assert.equal(part.status, 200);
  const scripts = parts.filter((part) => /javascript/.test(part.headers["content-type"]));
  const inside = [...page.text.matchAll(/<script[^>]*>([^]*?)<\/script>/g)].map(([, text]) => Buffer.byteLength(text));
  return {
    status: page.status, text: page.text, requests: 1 + parts.length,
    bytes: [page, ...parts].reduce((sum, part) => sum + part.bytes, 0),
    script: [...scripts.map((part) => part.body.length), ...inside].reduce((sum, bytes) => sum + bytes, 0),
  };
}

export async function weights({ field, browser, at }) {
  for (const group of ONLINE) {
    const page = await browser.device();
    await enter(page, at, field.code(group));
    await page.waitForURL(at("/p"));
    const state = await page.context().storageState();
    await page.context().close();
    const cookie = state.cookies.map((one) => `${one.name}=${one.value}`).join("; ");
    let heaviest = { bytes: 0 };
    await check(`${group}: each page weighs at most 14 kB in 3 requests, 3 kB of scripts`, async () => {
      const todo = ["/p", "/p/xem-lai"];
      const seen = new Set();
      for (let path = todo.shift(); path; path = todo.shift()) {
        seen.add(path);
        const one = await cost(field.base, path, cookie);
        assert.equal(one.status, 200, path);
        const sum = `${path}: ${one.bytes} bytes, ${one.requests} requests, ${one.script} bytes of scripts`;
        assert.ok(one.bytes <= MOST_BYTES && one.requests <= MOST_REQUESTS && one.script <= MOST_SCRIPT, sum);
        if (one.bytes > heaviest.bytes) heaviest = { path, ...one };
        for (const [, link] of one.text.matchAll(/href="(\/p\?[^"#]+)/g)) {
          const next = link.replaceAll(/&(amp|#38);/g, "&");
          if (!seen.has(next) && !todo.includes(next)) todo.push(next);
        }
      }
      assert.ok(seen.size >= 3, `only ${[...seen]}`);
      console.log(`# ${group}: ${seen.size} pages, the heaviest ${heaviest.path} with ${heaviest.bytes} bytes, ${heaviest.script} of scripts`);
    });
    if (heaviest.path) await browser.weights(state, [heaviest.path]);
  }
  const page = await browser.device();
  const code = field.code("CC-CT");
  await whole(page, at, code);
  await browser.weights(await page.context().storageState(), ["/", "/p/xong", "/huong-dan", "/rieng-tu", "/thoat"]);
  await page.context().close();
  for (const group of PAPER) {
    await check(`${group}, on paper: its page online and its questions over the API are as light`, async () => {
      const paper = await browser.device();
      const [answered] = await Promise.all([paper.waitForResponse((r) => r.request().isNavigationRequest() && r.status() === 409), enter(paper, at, field.code(group))]);
      const length = Number(answered.headers()["content-length"] ?? (await answered.body()).length);
      assert.ok(length <= MOST_BYTES, `${length} bytes`);
      await paper.context().close();
    });
  }
}
