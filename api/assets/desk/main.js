// The paper desk in a browser that can keep entries: codes are opened and ballots finished without leaving the page, and
// what the server has not yet waits here. A browser that cannot says so and works as a plain form.

import { Queue } from "./queue.js";
import { Saver } from "./saver.js";
import { start } from "./sheet.js";
import { Store, isPossible } from "./store.js";

const RETRY_MS = 3000;
const PASSES = { first: 1, second: 2, sample: 3 };

const desk = document.querySelector("[data-desk]");
const box = document.querySelector("[data-code]");
// A ballot that the server has sent as a page of its own.
const plain = document.querySelector("form[data-keying]");
if (plain) start(plain);
// A scanner types over what stands in the code box.
if (box) {
  box.focus();
  box.select();
}
if (desk) run().catch(() => poor());

function poor() {
  desk.querySelector("[data-poor]").hidden = false;
}

async function run() {
  if (!isPossible()) {
    poor();
    return;
  }
  const store = await Store.open();
  alone(() => work(store));
}

// One tab a browser: two would send each other's commands.
function alone(begin) {
  const notice = desk.querySelector("[data-twice]");
  const field = desk.querySelector("fieldset");
  const held = () => {
    notice.hidden = true;
    field.disabled = false;
    begin();
    return new Promise(() => undefined);
  };
  navigator.locks.request("phieu-desk", { ifAvailable: true }, (lock) => {
    if (lock) return held();
    notice.hidden = false;
    field.disabled = true;
    navigator.locks.request("phieu-desk", held);
    return undefined;
  });
}

function work(store) {
  const main = desk.closest("main");
  const form = desk.querySelector("form");
  const state = desk.querySelector("[data-queue]");
  const said = desk.querySelector("[data-results]");
  const title = document.title;
  let queue = null;
  let standing = { waiting: 0, refused: [], others: [], offline: false, signedOut: false, last: null };
  let open = null; // the ballot on the screen
  let opening = false; // a code was entered: from now on this browser may hold a ballot
  let released; // the news that it holds none, on its way

  const tell = (kind, ...words) => {
    const line = document.createElement("p");
    line.className = `notice ${kind}`;
    line.setAttribute("role", kind === "fault" ? "alert" : "status");
    line.append(...words);
    said.replaceChildren(line);
  };

  function show() {
    const { waiting, refused, others, offline, signedOut } = standing;
    const lines = [];
    if (signedOut) lines.push(signInAgain(waiting));
    else if (waiting > 0) lines.push(offline ? `○ Chưa có mạng: ${waiting} phiếu chờ gửi, đang giữ trong máy này.` : `○ Đang gửi ${waiting} phiếu…`);
    for (const clerk of new Set(others)) {
      const count = others.filter((other) => other === clerk).length;
      lines.push(`Máy này còn giữ ${count} phiếu của ${clerk}; xin ${clerk} đăng nhập trên máy này để gửi.`);
    }
    state.replaceChildren(...lines.map((line) => {
      const paragraph = document.createElement("p");
      paragraph.className = "notice warn";
      paragraph.append(line);
      return paragraph;
    }), ...refused.map(refusal));
    open?.status();
  }

  function signInAgain(waiting) {
    const link = document.createElement("a");
    link.href = desk.dataset.signIn;
    link.textContent = `Phiên làm việc đã hết. Xin đăng nhập lại${waiting > 0 ? ` để gửi ${waiting} phiếu đang giữ trong máy này` : ""}.`;
    return link;
  }

  function refusal({ id, command }) {
    const notice = document.createElement("div");
    notice.className = "notice fault";
    notice.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = `${command.label}, lượt ${PASSES[command.pass]}: chưa lưu. ${command.refused}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Đã đọc, bỏ bản nhập này";
    button.addEventListener("click", () => queue.read(id).then(() => box.focus()));
    notice.append(words, button);
    return notice;
  }

  function result({ label, state: came, disputed, pass }) {
    if (came === "mismatched") tell("warn", `${label}: lệch ${disputed} mục – chuyển người thứ ba.`);
    else if (came === "awaits_sample") tell("good", `${label}: khớp – phiếu được rút làm mẫu, chuyển người đọc mẫu.`);
    else if (came === "cast") tell("good", `${label}: khớp – đã đưa vào hòm phiếu.`);
    else tell("good", `${label}: đã lưu lượt ${PASSES[pass]}.`);
  }

  // The key comes from the server at each sign-in; until it is here no ballot can be opened anyway.
  async function unlock() {
    for (;;) {
      try {
        const answer = await fetch(`${desk.dataset.api}/store`, { method: "POST", cache: "no-store" });
        if (answer.ok) {
          await store.unlock(await answer.json());
          return;
        }
        if (answer.status === 401) location.href = desk.dataset.signIn;
      } catch {
        // No network: asked again below.
      }
      await new Promise((go) => setTimeout(go, RETRY_MS));
    }
  }

  const ready = unlock().then(async () => {
    let shown = null;
    queue = new Queue(store, desk.dataset.api, (now) => {
      standing = now;
      if (now.last && now.last !== shown) {
        shown = now.last;
        result(now.last);
      }
      show();
    });
    if (!opening && await store.isEmpty() && !opening) released = queue.holdNothing();
    queue.kick();
  });

  async function openCode() {
    const body = new URLSearchParams(new FormData(form));
    body.set("desk", store.number);
    form.setAttribute("aria-busy", "true");
    opening = true;
    await released;
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", cache: "no-store", body });
    } catch {
      tell("fault", "Chưa có mạng nên chưa mở được phiếu. Mã vẫn còn trong ô; xin bấm Enter khi có mạng lại.");
      return;
    } finally {
      form.removeAttribute("aria-busy");
    }
    if (new URL(answer.url).pathname !== new URL(form.action).pathname) {
      // Signed out, or the ballot is finished already: the page says which.
      location.href = answer.url;
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const sheet = page.querySelector("form[data-keying]");
    if (sheet && sheet.dataset.pass in PASSES) await mount(sheet, page);
    else if (page.querySelector("[data-desk]")) refused(page);
    else {
      main.replaceChildren(...page.querySelector("main").childNodes);
      document.title = page.title;
      const reading = main.querySelector("form[data-keying]");
      if (reading) start(reading);
      else main.querySelector("[autofocus]")?.focus();
    }
  }

  // The server's words, beside the box.
  function refused(page) {
    tell("fault", page.querySelector("[role=alert]")?.textContent ?? "Chưa mở được phiếu.");
    document.title = page.title;
    box.value = page.querySelector("[data-code]").value;
    box.focus();
    box.select();
  }

  async function mount(sheet, page) {
    await ready;
    const { mark, label, pass } = sheet.dataset;
    const place = await store.place(`${mark}/${pass}`);
    const here = await store.kept(place);
    // What the server has not seen is newer than what it sent.
    if (here && !here.sent) {
      for (const [name, value] of Object.entries(here.keys)) {
        if (sheet.elements[name]) sheet.elements[name].value = value;
      }
    }
    const code = sheet.elements.code.value;
    const { number } = store;
    const saver = new Saver(store, desk.dataset.api, place, { code, pass, number }, (words) => { sheet.querySelector("[data-saved]").textContent = words; });
    const close = () => {
      open = null;
      sheet.remove();
      desk.hidden = false;
      document.title = title;
      box.value = "";
      box.focus();
    };
    desk.hidden = true;
    main.append(document.importNode(sheet, true));
    sheet = main.querySelector("form[data-keying]");
    document.title = page.title;
    const ballot = start(sheet, {
      effort: here?.effort,
      keep: (typed) => saver.keep(typed),
      finish: async ({ keys, effort }) => {
        saver.stop();
        try {
          await queue.add({ key: crypto.randomUUID(), label, code, pass, keys, effort });
        } catch {
          // No room in the browser's store: sent as a plain form.
          open = null;
          sheet.requestSubmit(sheet.querySelector("[data-save] button"));
          return;
        }
        close();
        await store.forget(place);
      },
      // On to the page for that with the code in hand; what was typed is kept.
      setAside: async (typed, button) => {
        if (await saver.leave(typed)) {
          open = null;
          sheet.requestSubmit(button);
        } else {
          saver.goOn();
          saver.tell("○ chưa có mạng: chưa mở được trang sự cố, phiếu được giữ trong máy này");
        }
      },
      leave: async (typed) => {
        await saver.leave(typed);
        tell("good", `${label}: đã dừng, dữ liệu được giữ. Quét lại mã phiếu để làm tiếp.`);
        close();
      },
    });
    open = { status: () => saver.show(), depart: () => saver.depart(ballot.typed()) };
  }

  // The tab is closed, or leads elsewhere, in the middle of a ballot.
  addEventListener("pagehide", () => open?.depart());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") !== "true" && box.value.trim() !== "") openCode();
  });
}
