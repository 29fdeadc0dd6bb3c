// The paper desk by keyboard: one key answers and goes on. Without this module the form is a plain form.
// Keys are read by their place (event.code), so that Vietnamese input methods, which rewrite what is typed, do no harm.
// Several choices, numbers and text are typed out and left with Enter; in text fields every other key is the typist's.

const ALIVE_EVERY_MS = 5 * 60 * 1000;
const MARKS = new Map([[".", "(để trống)"], ["*", "(nhiều dấu)"], ["/", "(không đọc được)"]]);
const PLACES = new Map([
  ["NumpadDecimal", "."], ["Period", "."], ["NumpadMultiply", "*"], ["NumpadDivide", "/"], ["Slash", "/"],
  ["NumpadSubtract", "-"], ["Minus", "-"], ["NumpadAdd", "+"],
]);

// The sign of a key, wherever the keyboard has it; null when it means nothing here.
function sign(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  if (event.key === "*" || event.key === "+") return event.key;
  const digit = /^(Digit|Numpad)(\d)$/.exec(event.code);
  if (digit && !(event.shiftKey && digit[1] === "Digit")) return digit[2];
  if (event.shiftKey && event.code === "Digit8") return "*";
  if (event.shiftKey && event.code === "Equal") return "+";
  if (!event.shiftKey && PLACES.has(event.code)) return PLACES.get(event.code);
  return "0123456789.*/-+".includes(event.key) && event.key.length === 1 ? event.key : null;
}

// A refusal that is seen and asks for nothing.
function buzz(element) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const red = { backgroundColor: "#a3171f", color: "#fff" };
  const shake = ["-5px", "5px", "-3px", "0"].map((x) => ({ ...red, transform: `translateX(${x})` }));
  element.animate(calm ? [red, red] : shake, { duration: 220 });
}

// Focus without gliding: the eyes are on the paper, and the next key comes at once.
function reach(element, whole) {
  element.focus({ preventScroll: true });
  whole.scrollIntoView({ block: "nearest", behavior: "instant" });
}

function start(form) {
  const matrix = "matrix" in form.dataset;
  const blocks = [...form.querySelectorAll("[data-block]")];
  const inputs = blocks.map((block) => [...block.querySelectorAll("input[data-of]")]);
  const stops = blocks.map((block) => block.querySelector("[data-stop]"));
  const save = form.querySelector("[data-save]");
  const saveButton = save.querySelector("button");
  const said = form.querySelector("[data-said]");
  const scales = new Map();
  for (const legend of form.querySelectorAll("[data-scale]")) {
    const keys = [...legend.querySelectorAll("[data-key]")];
    scales.set(legend.dataset.scale, new Map(keys.map((k) => [k.dataset.key, k.lastElementChild.textContent])));
  }
  let at = 0; // the block on the screen
  let jump = null; // digits typed after +
  let sent = false;
  let alive = Date.now();

  const kind = (input) => input.dataset.kind ?? "scale";

  // What is said beside a key: "" for what needs no words, undefined for what the input does not take.
  function words(input, typed) {
    const key = typed.trim();
    if (MARKS.has(key)) return MARKS.get(key);
    const options = scales.get(input.dataset.of);
    switch (kind(input)) {
      case "text": return key === "" ? undefined : "";
      case "number": return number(input.dataset, key) ? "" : undefined;
      case "multiple": return several(input.dataset, options, key);
      default: return options?.get(key);
    }
  }

  function number({ min, max, decimals }, key) {
    const parts = /^-?\d{1,9}(?:[.,](\d{1,9}))?$/.exec(key);
    if (!parts || (parts[1] ?? "").replace(/0+$/, "").length > Number(decimals)) return false;
    const value = Number(key.replace(",", "."));
    return !(min && value < Number(min)) && !(max && value > Number(max));
  }

  function several({ most }, options, key) {
    const one = options.size > 9 ? key.split(/[ ,.;]+/) : key.replace(/[ ,.;]/g, "").split("");
    const keys = one.filter((part) => part !== "");
    const all = keys.length > 0 && keys.every((part) => options.has(part)) && new Set(keys).size === keys.length;
    if (!all || keys.length > Number(most ?? Infinity)) return undefined;
    return keys.sort((a, b) => a - b).map((part) => options.get(part)).join("; ");
  }

  const label = (input) => {
    input.nextElementSibling.textContent = words(input, input.value) ?? "";
  };
  const known = (input) => words(input, input.value) !== undefined;
  // Scales of ten options and more have keys of two digits: those are typed and left with Enter.
  const long = (input) => kind(input) !== "scale" && kind(input) !== "single" || scales.get(input.dataset.of)?.size > 9;
  // What the next key would replace or start.
  const fresh = (input) => input.value === "" || input.selectionEnd - input.selectionStart === input.value.length;

  // Signs that are part of what is being typed into such an input.
  function part(input, event, key) {
    if (jump !== null || event.ctrlKey || event.altKey || event.metaKey || !long(input)) return false;
    if (/^\d$/.test(key ?? "")) return true;
    if (kind(input) === "number") {
      if (key === "-") return fresh(input) && !(Number(input.dataset.min || -1) >= 0);
      return !fresh(input) && (key === "." || event.key === ",");
    }
    return kind(input) === "multiple" && !fresh(input) && (key === "." || event.key === "," || event.key === " ");
  }

  // Refused where it stands; what to do about it is said once, below.
  function refuse(input) {
    if (kind(input) === "number" && /\d/.test(input.value)) {
      said.textContent = "Số không hợp lệ ở câu này. Nếu phiếu ghi đúng như vậy, xin gõ / rồi Enter.";
    } else if (kind(input) === "multiple" && /\d/.test(input.value)) {
      said.textContent = "Xin gõ mỗi số một lần, không quá số lựa chọn cho phép; nếu phiếu đánh dấu quá số ấy, xin gõ *.";
    }
    buzz(input);
  }

  function focus(input) {
    stops[at].hidden = true;
    reach(input, input.closest("tr"));
    hold(input);
  }

  // A key replaces what stands there; a text is gone on with.
  function hold(input) {
    if (kind(input) === "text") input.setSelectionRange(input.value.length, input.value.length);
    else input.select();
  }

  function show(block) {
    at = block;
    blocks.forEach((b, i) => { b.hidden = i !== block; });
    save.hidden = true;
    stops[at].hidden = true;
  }

  // The stop line repeats what was keyed, so that a slipped row is seen before it is left.
  function stop() {
    const open = inputs[at].find((input) => !known(input));
    if (open) {
      focus(open);
      buzz(open);
      return;
    }
    const last = at === blocks.length - 1;
    const keyed = inputs[at].flatMap((input) => {
      const pill = document.createElement("span");
      pill.className = "pill";
      const keyed = input.value.length > 40 ? `${input.value.slice(0, 40)}…` : input.value;
      pill.textContent = `${input.dataset.number}: ${keyed}`;
      return [pill, " "];
    });
    stops[at].replaceChildren(...keyed, `Đúng như trên phiếu? Enter: ${last ? "lưu" : "sang phần tiếp"}, -: lùi.`);
    stops[at].hidden = false;
    save.hidden = !last;
    reach(stops[at], stops[at]);
  }

  function forward(input) {
    const next = inputs[at][inputs[at].indexOf(input) + 1];
    if (next) focus(next);
    else stop();
  }

  function backward(element) {
    if (element === stops[at]) {
      focus(inputs[at].at(-1));
      return;
    }
    const place = inputs[at].indexOf(element);
    if (place > 0) focus(inputs[at][place - 1]);
    else if (at > 0) {
      show(at - 1);
      focus(inputs[at].at(-1));
    } else buzz(element);
  }

  function leave() {
    if (at < blocks.length - 1) {
      show(at + 1);
      focus(inputs[at].find((input) => !input.value) ?? inputs[at][0]);
      return;
    }
    const open = inputs.findIndex((block) => block.some((input) => !known(input)));
    if (open >= 0) {
      show(open);
      stop();
    } else if (!sent) {
      sent = true;
      said.textContent = "Đang lưu…";
      form.requestSubmit(saveButton);
    }
  }

  function answer(input, key) {
    if (words(input, key) === undefined) {
      buzz(input);
      return;
    }
    input.value = key;
    input.removeAttribute("aria-invalid");
    label(input);
    forward(input);
  }

  function jumping(key, element) {
    if (/^\d$/.test(key) && jump.length < 3) {
      jump += key;
      said.textContent = `Đến ${matrix ? "cơ quan" : "câu"} ${jump}`;
      return;
    }
    const number = jump;
    jump = null;
    said.textContent = "";
    if (key !== "Enter") {
      if (key !== "Escape") buzz(element);
      return;
    }
    const block = matrix
      ? Number(number) - 1
      : inputs.findIndex((block) => block.some((input) => input.dataset.number === number));
    if (!inputs[block]) {
      buzz(element);
      return;
    }
    show(block);
    focus((!matrix && inputs[block].find((input) => input.dataset.number === number)) || inputs[block][0]);
  }

  // A clerk at work is not signed out.
  function stayAlive() {
    if (Date.now() - alive < ALIVE_EVERY_MS) return;
    alive = Date.now();
    fetch(form.dataset.alive, { cache: "no-store" }).catch(() => {});
  }

  function keyed(event) {
    const element = event.target;
    const input = inputs[at].includes(element) ? element : null;
    if (!input && element !== stops[at]) return;
    // An input method is composing: what it makes arrives as an input event.
    if (event.isComposing || event.keyCode === 229) return;
    if (input && jump === null && kind(input) === "text") {
      writing(input, event);
      return;
    }
    // Arrows by their place too: with NumLock off the 2 of the number pad says ArrowDown.
    const moves = ["Enter", "Escape"].includes(event.key) || ["ArrowUp", "ArrowDown"].includes(event.code);
    const key = moves ? event.key : sign(event);
    if (input && part(input, event, key)) {
      stayAlive();
      return;
    }
    if (key === null) {
      // A letter says nothing here; keys that move or edit are left to the browser.
      if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) {
        event.preventDefault();
        buzz(element);
      }
      return;
    }
    event.preventDefault();
    stayAlive();
    if (event.repeat && key !== "ArrowUp" && key !== "ArrowDown") return;
    if (jump !== null) jumping(key, element);
    else if (key === "+") {
      jump = "";
      said.textContent = `Đến ${matrix ? "cơ quan" : "câu"} …`;
    } else if (key === "-" || key === "ArrowUp") backward(element);
    else if (key === "Escape") return;
    else if (!input) {
      if (key === "Enter") leave();
      else buzz(element);
    } else if (key === "ArrowDown") forward(input);
    else if (key === "Enter") {
      enter(input);
    } else answer(input, key);
  }

  function enter(input) {
    label(input);
    if (!known(input)) {
      refuse(input);
      return;
    }
    said.textContent = "";
    input.removeAttribute("aria-invalid");
    forward(input);
  }

  // In a text only Enter and the arrows up and down are ours.
  function writing(input, event) {
    stayAlive();
    const arrow = ["ArrowUp", "ArrowDown"].includes(event.code) && event.key === event.code;
    if (event.key !== "Enter" && !arrow) return;
    event.preventDefault();
    if (event.key === "Enter") {
      if (!event.repeat) enter(input);
    } else if (event.code === "ArrowUp") backward(input);
    else forward(input);
  }

  // Keyboards on glass and input methods tell only what they made.
  function typed(event) {
    const input = event.target;
    if (event.isComposing || !inputs[at].includes(input)) return;
    const key = input.value.normalize("NFKC").trim();
    if (kind(input) === "text" || (long(input) && !MARKS.has(key))) {
      label(input);
      return;
    }
    const last = key.slice(-1);
    if (key === "" || words(input, last) !== undefined) {
      if (key === "") label(input);
      else answer(input, last);
    } else {
      input.value = "";
      label(input);
      buzz(input);
    }
  }

  form.addEventListener("keydown", keyed);
  form.addEventListener("input", typed);
  form.addEventListener("compositionend", (event) => typed({ target: event.target }));
  form.addEventListener("focusin", (event) => {
    if (inputs[at].includes(event.target)) hold(event.target);
  });
  form.querySelector("[data-keys]").hidden = false;
  // The name of the rated body stays in sight, and no column moves while words appear in it.
  for (const heading of form.querySelectorAll("[data-heading]")) {
    Object.assign(heading.style, { position: "sticky", top: "0", background: "var(--wash)", zIndex: "1" });
  }
  for (const column of form.querySelectorAll("[data-keyed]")) column.style.width = "27%";
  for (const row of form.querySelectorAll("tr")) row.style.scrollMarginTop = "4rem";

  const places = inputs.flat();
  const first = places.find((i) => i.getAttribute("aria-invalid")) ?? places.find((i) => !known(i)) ?? places[0];
  show(inputs.findIndex((block) => block.includes(first)));
  focus(first);
  // A link of the summary of faults leads into a block that is not on the screen.
  addEventListener("hashchange", () => {
    const wanted = document.getElementById(location.hash.slice(1));
    const block = inputs.findIndex((b) => b.includes(wanted));
    if (block >= 0) {
      show(block);
      focus(wanted);
    }
  });
}

const form = document.querySelector("form[data-keying]");
if (form) start(form);

// A scanner types over what stands in the code box.
const box = document.querySelector("[data-code]");
if (box) {
  box.focus();
  box.select();
}
