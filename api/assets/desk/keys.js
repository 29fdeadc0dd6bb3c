// Keys by their place (event.code), so that Vietnamese input methods, which rewrite what is typed, do no harm.

export const MARKS = new Map([[".", "(để trống)"], ["*", "(nhiều dấu)"], ["/", "(không đọc được)"]]);
const PLACES = new Map([
  ["NumpadDecimal", "."], ["Period", "."], ["NumpadMultiply", "*"], ["NumpadDivide", "/"], ["Slash", "/"],
  ["NumpadSubtract", "-"], ["Minus", "-"], ["NumpadAdd", "+"],
]);
// These are nothing to the browser, and something to the desk.
const ACTS = new Set(["Enter", "Escape", "F2", "F8", "F9"]);
const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock", "Unidentified"]);

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

// What a key is here: a sign, an act, an arrow up or down, or null. Arrows by their place too: with NumLock off the 2 of
// the number pad says ArrowDown.
export function meaning(event) {
  if (ACTS.has(event.key)) return event.ctrlKey || event.altKey || event.metaKey ? null : event.key;
  return ["ArrowUp", "ArrowDown"].includes(event.code) ? event.code : sign(event);
}

export const isModifier = (event) => MODIFIERS.has(event.key);

// What a ballot takes: keys pressed, refused ones among them, and the time at work. A gap of a minute is a pause.
const PAUSE_MS = 60_000;

export class Effort {
  constructor({ keystrokes = 0, refused = 0, seconds = 0 } = {}) {
    Object.assign(this, { keystrokes, refused, ms: seconds * 1000, last: null });
  }

  key() {
    const now = performance.now();
    if (this.last !== null && now - this.last < PAUSE_MS) this.ms += now - this.last;
    this.last = now;
    this.keystrokes += 1;
  }

  refuse() { this.refused += 1; }

  pause() { this.last = null; }

  told() {
    const { keystrokes, refused, ms } = this;
    return { keystrokes, refused, seconds: Math.round(ms / 1000) };
  }
}

// A refusal that is seen and asks for nothing.
export function buzz(element) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const red = { backgroundColor: "#a3171f", color: "#fff" };
  const shake = ["-5px", "5px", "-3px", "0"].map((x) => ({ ...red, transform: `translateX(${x})` }));
  element.animate(calm ? [red, red] : shake, { duration: 220 });
}
