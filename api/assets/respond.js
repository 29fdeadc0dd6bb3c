// The pages work without it.
const $ = (id) => document.getElementById(id);
const field = $("ma"), said = $("da-luu"), form = said?.closest("form"), wake = $("het-gio");

// The QR code's fragment: into the field, out of the address.
function pick() {
  const code = location.hash.slice(1);
  if (!/^[0-9a-z]{4}(-?[0-9a-z]{4}){5}$/i.test(code)) return;
  if (!field) return location.replace(document.querySelector(".brand").href + "#" + code);
  history.replaceState(null, "", location.pathname + location.search);
  field.value = grouped(code);
  check();
  field.form.querySelector("button").focus();
}

const bare = (text) => [...text.normalize("NFKC").toUpperCase().replace(/[\s\-–—_.]+/g, "")];
const grouped = (text) => bare(text).join("").replace(/.{4}(?=.)/gu, "$&-");

// As ballot/token.rs.
function check() {
  const all = bare(field.value).map((s) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf({ I: 1, L: 1, O: 0 }[s] ?? s));
  const count = all.length, wrong = all.indexOf(-1), at = wrong % 4;
  const name = /[đ\u0300-\u036f]/i.test(field.value.normalize("NFD")) ? "marks"
    : wrong >= 0 ? "sign"
    : count > 24 && count !== 48 ? "length"
    : count === 24 && [all.pop(), ...all].reduceRight((sum, v) => (sum * 2) ^ (sum > 15 ? 37 : 0) ^ v, 0) && "check";
  const error = $("ma-loi");
  error.textContent = [name === "sign" ? wrong + 1 : count, (wrong - at) / 4 + 1, at + 1]
    .reduce((words, n) => words.replace("#", n), error.dataset[name] ?? "");
  field.ariaInvalid = !!name;
}

if (field) field.oninput = ({ isComposing, inputType }) => {
  const atEnd = field.selectionEnd === field.value.length;
  if (atEnd && !isComposing && !inputType?.startsWith("delete")) field.value = grouped(field.value);
  check();
};
addEventListener("hashchange", pick);
pick();

// Each answer is kept as it is chosen, without renewing the session: it must not undo a leave.
let timer, turn = Promise.resolve(), changes = 0;

async function post(form) {
  const body = new URLSearchParams(new FormData(form));
  const sent = fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true });
  return (await sent.catch(() => 0)).type === "opaqueredirect";
}

function flush() {
  if (timer) turn = turn.then(async () => {
    const sent = changes, kept = await post(form);
    // A later change has its own turn.
    if (sent === changes) said.textContent = said.dataset[kept ? "kept" : "lost"];
  });
  timer = clearTimeout(timer);
}

function wind() {
  wake.hidden = true;
  setTimeout(() => wake.hidden = false, wake.dataset.ms);
}

if (wake) {
  wind();
  wake.onsubmit = async (event) => {
    event.preventDefault();
    if (await post(wake)) wind();
    else wake.firstChild.textContent = wake.dataset.lost;
  };
}
if (form) {
  form.oninput = () => {
    changes++;
    clearTimeout(timer);
    timer = setTimeout(flush, 400);
    said.textContent = said.dataset.busy;
  };
  form.onsubmit = () => timer = clearTimeout(timer);
  onpagehide = flush;
}
