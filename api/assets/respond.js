// Adds to the respondent's pages; each of them works without it.
const field = document.getElementById("ma");

// The QR code carries the code in the fragment, which no server sees: into the field, and out of the address.
function pick() {
  const code = location.hash.slice(1);
  if (!/^[0-9a-z]{4}(-?[0-9a-z]{4}){5}$/i.test(code)) return;
  if (!field) return location.replace(document.querySelector(".brand").href + "#" + code);
  history.replaceState(null, "", location.pathname + location.search);
  field.value = grouped(code);
  field.form.querySelector("button").focus();
}

function grouped(text) {
  const signs = [...text.toUpperCase().replace(/[\s\-–—_.]+/g, "")];
  return signs.map((sign, at) => (at && at % 4 === 0 ? "-" : "") + sign).join("");
}

field?.addEventListener("input", (event) => {
  const deleting = (event.inputType ?? "").startsWith("delete");
  if (event.isComposing || deleting || field.selectionEnd < field.value.length) return;
  field.value = grouped(field.value);
});
addEventListener("hashchange", pick);
pick();

// Each answer is kept as it is chosen: the same form, the same address, one after the other.
const form = document.querySelector("form[data-keep]");
const said = document.getElementById("da-luu");
let timer = 0;
let turn = Promise.resolve();

async function keep() {
  timer = 0;
  const body = new URLSearchParams(new FormData(form));
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true });
    // The page after a kept draft is a redirect; anything else is a refusal that the next button press will show.
    said.textContent = answer.type === "opaqueredirect" ? said.dataset.kept : said.dataset.lost;
  } catch {
    said.textContent = said.dataset.lost;
  }
}

function flush() {
  if (!timer) return;
  clearTimeout(timer);
  turn = turn.then(keep);
}

if (form && said) {
  form.addEventListener("change", () => {
    clearTimeout(timer);
    timer = setTimeout(flush, 400);
    said.textContent = said.dataset.busy;
  });
  form.addEventListener("submit", () => { clearTimeout(timer); timer = 0; });
  addEventListener("pagehide", flush);
}
