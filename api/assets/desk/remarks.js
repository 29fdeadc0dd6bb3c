// What is worth a second look before a part is left: said once, below its codes, and never in the way.

const ALIKE_FROM = 5;
const BLANKS_FROM = 3;

// A run of blanks is often a skipped row.
function blanks(inputs) {
  let longest = [];
  let run = [];
  for (const input of inputs) {
    run = input.value === "." ? [...run, input] : [];
    if (run.length > longest.length) longest = run;
  }
  if (longest.length < BLANKS_FROM) return [];
  return [`Để trống liền ${longest.length} câu, từ câu ${longest[0].dataset.number}.`];
}

function alike(inputs) {
  if (inputs.length < ALIKE_FROM || inputs[0].value === ".") return [];
  return inputs.every((input) => input.value === inputs[0].value) ? [`Cả phần này cùng một mã ${inputs[0].value}.`] : [];
}

// An item that depends on an earlier one: `a1-1=1,2 a1-2!=3`.
function holds(condition, form) {
  const [, name, no, keys] = /^(.+?)(!?)=(.*)$/.exec(condition);
  const given = form.elements[name]?.value.replace(/[ ,.;]/g, "").split("") ?? [];
  return keys.split(",").some((key) => given.includes(key)) !== (no === "!");
}

function unasked(inputs, form) {
  const odd = inputs.filter((input) => {
    const conditions = (input.dataset.if ?? "").split(" ").filter(Boolean);
    return conditions.length > 0 && input.value !== "." && !conditions.every((one) => holds(one, form));
  });
  return odd.map((input) => `Câu ${input.dataset.number} có trả lời, dù câu trước cho biết không phải trả lời.`);
}

export function remarks(inputs, known, kind, form) {
  const rows = inputs.filter(known);
  const scaled = rows.filter((input) => kind(input) === "scale");
  return [...blanks(rows), ...(scaled.length > 0 ? alike(scaled) : []), ...unasked(rows, form)];
}
