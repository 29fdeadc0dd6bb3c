// A ballot by keyboard: one key answers and goes on. Without this module the form is a plain form.
// Several choices, numbers and text are typed out and left with Enter; in text fields every other key is the typist's.

import { Effort, MARKS, buzz as shake, isModifier, meaning } from "./keys.js";
import { remarks } from "./remarks.js";

const ALIVE_EVERY_MS = 5 * 60 * 1000;

// Focus without gliding: the eyes are on the paper, and the next key comes at once.
function reach(element, whole) {
  element.focus({ preventScroll: true });
  whole.scrollIntoView({ block: "nearest", behavior: "instant" });
}

// A page of many hundred places is slow to touch: what stands as it should is left alone.
function hide(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

// Starts the screen on its form. `desk` keeps what is typed and takes what is finished; without it the form is sent.
export function start(form, desk = null) {
  const matrix = "matrix" in form.dataset;
  const blocks = [...form.querySelectorAll("[data-block]")];
  const inputs = blocks.map((block) => [...block.querySelectorAll("input[data-of]")]);
  const places = inputs.flat();
  const stops = blocks.map((block) => block.querySelector("[data-stop]"));
  const save = form.querySelector("[data-save]");
  const papers = [...document.querySelectorAll("[data-paper]")];
  const saveButton = save.querySelector("button");
  const said = form.querySelector("[data-said]");
  const scales = new Map();
  for (const legend of form.querySelectorAll("[data-scale]")) {
    const keys = [...legend.querySelectorAll("[data-key]")];
    scales.set(legend.dataset.scale, new Map(keys.map((k) => [k.dataset.key, k.lastElementChild.textContent])));
  }
  let at = 0; // the block on the screen
  let held = null; // the input that had the focus last
  let offered = null; // the scale whose options are shown
  let jump = null; // digits typed after +
  let sent = false;
  let paused = false;
  let alive = performance.now();
  const effort = new Effort(desk?.effort);
  const warned = new Set();
  const options = form.querySelector("[data-options]");
  const resting = form.querySelector("[data-resting]");
  const buzz = (element) => {
    effort.refuse();
    shake(element);
  };

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
    const keys = key.replace(/[ ,.;]/g, "").split("");
    const all = keys.length > 0 && keys.every((part) => options.has(part)) && new Set(keys).size === keys.length;
    if (!all || keys.length > Number(most ?? Infinity)) return undefined;
    return keys.sort((a, b) => a - b).map((part) => options.get(part)).join("; ");
  }

  const label = (input) => {
    write(input.nextElementSibling, words(input, input.value) ?? "");
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
    hide(stops[at], true);
    // The focus event holds it; one that has the focus already gets none.
    if (document.activeElement === input) hold(input);
    reach(input, input.closest("tr"));
    offer(input);
  }

  // What the item takes, below the ballot; F2 spreads it out. Most items of a ballot take the same.
  function offer(input) {
    hide(options, false);
    if (offered === input.dataset.of) return;
    offered = input.dataset.of;
    const list = [...(scales.get(input.dataset.of) ?? []), ...MARKS];
    options.replaceChildren(...list.map(([key, words]) => {
      const one = document.createElement("span");
      const sign = document.createElement("b");
      sign.textContent = key;
      one.append(sign, ` ${words}`);
      return one;
    }));
  }

  const typed = () => ({
    keys: Object.fromEntries(places.filter((i) => i.value !== "").map((i) => [i.name, i.value])),
    effort: effort.told(),
  });
  const keep = () => desk?.keep(typed);

  // A key replaces what stands there; a text is gone on with.
  function hold(input) {
    if (kind(input) === "text") input.setSelectionRange(input.value.length, input.value.length);
    else input.select();
  }

  function show(block) {
    at = block;
    blocks.forEach((b, i) => hide(b, i !== block));
    // A ballot to learn on has its paper beside it, body by body.
    if (papers.length === blocks.length) papers.forEach((p, i) => hide(p, i !== block));
    hide(save, true);
    hide(stops[at], true);
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
    const said = remarks(inputs[at], known, kind, form);
    const notes = warned.has(at) ? [] : said.map((words) => {
      const line = document.createElement("span");
      line.className = "remark";
      line.textContent = words;
      return line;
    });
    warned.add(at);
    stops[at].replaceChildren(...keyed, `Đúng như trên phiếu? Enter: ${last ? "lưu" : "sang phần tiếp"}, -: lùi.`, ...notes);
    options.hidden = true;
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
      if (desk) desk.finish(typed());
      else {
        said.textContent = "Đang lưu…";
        form.elements.suc.value = Object.values(effort.told()).join(",");
        form.requestSubmit(saveButton);
      }
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
    keep();
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
    effort.key();
    if (desk || performance.now() - alive < ALIVE_EVERY_MS) return;
    alive = performance.now();
    fetch(form.dataset.alive, { cache: "no-store" }).catch(() => {});
  }

  // The ballot is out of sight, and the time does not count.
  function rest() {
    paused = true;
    effort.pause();
    for (const block of blocks) block.hidden = true;
    options.hidden = true;
    resting.hidden = false;
    resting.querySelector("button").focus();
  }

  function goOn() {
    paused = false;
    resting.hidden = true;
    const stopped = !stops[at].hidden;
    blocks[at].hidden = false;
    if (stopped) reach(stops[at], stops[at]);
    else focus(held ?? inputs[at][0]);
  }


  function act(key) {
    if (key === "F2") options.classList.toggle("spread");
    else if (key === "F8") paused ? goOn() : rest();
    else if (key === "F9") form.querySelector("[data-problem]")?.click();
    else if (key === "Escape") form.querySelector("[data-leave]").click();
  }

  function keyed(event) {
    if (isModifier(event)) return;
    const element = event.target;
    const key = meaning(event);
    if (["F2", "F8", "F9"].includes(key) || (key === "Escape" && jump === null && !event.isComposing)) {
      event.preventDefault();
      if (!event.repeat) act(key);
      return;
    }
    if (paused) return;
    const input = inputs[at].includes(element) ? element : null;
    if (!input && element !== stops[at]) return;
    // An input method is composing: what it makes arrives as an input event.
    if (event.isComposing || event.keyCode === 229) return;
    if (input && jump === null && kind(input) === "text") {
      writing(input, event);
      return;
    }
    if (input && part(input, event, key)) {
      stayAlive();
      return;
    }
    if (key === null) {
      // A letter says nothing here; keys that move or edit are left to the browser.
      if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) {
        event.preventDefault();
        stayAlive();
        buzz(element);
      }
      return;
    }
    event.preventDefault();
    if (event.repeat && key !== "ArrowUp" && key !== "ArrowDown") return;
    stayAlive();
    if (jump !== null) jumping(key, element);
    else if (key === "+") {
      jump = "";
      said.textContent = `Đến ${matrix ? "cơ quan" : "câu"} …`;
    } else if (key === "-" || key === "ArrowUp") backward(element);
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
    keep();
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
  function made(event) {
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
  form.addEventListener("input", made);
  // Long texts are kept while they are written.
  form.addEventListener("input", (event) => { if (kind(event.target) === "text") keep(); });
  form.addEventListener("compositionend", (event) => made({ target: event.target }));
  form.addEventListener("focusin", (event) => {
    if (!inputs[at].includes(event.target)) return;
    held = event.target;
    hold(event.target);
  });
  resting.querySelector("button").addEventListener("click", goOn);
  form.querySelector("[data-pause]").addEventListener("click", rest);
  if (desk) {
    form.querySelector("[data-leave]").addEventListener("click", (event) => {
      event.preventDefault();
      desk.leave(typed());
    });
    form.querySelector("[data-problem]")?.addEventListener("click", (event) => {
      event.preventDefault();
      desk.setAside(typed(), event.currentTarget);
    });
    saveButton.addEventListener("click", (event) => {
      event.preventDefault();
      leave();
    });
  }
  form.querySelector("[data-keys]").hidden = false;
  form.querySelector("[data-pause]").hidden = false;
  places.forEach(label);

  const first = places.find((i) => i.getAttribute("aria-invalid")) ?? places.find((i) => !known(i)) ?? places.at(-1);
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
  return { typed };
}
