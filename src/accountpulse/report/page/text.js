// The few numbers that follow what a reader does; every other text comes ready from Python.

const MISSING = "–";

/** `1,204`; with decimals `1,204.0`. */
const fixed = (value, decimals = 0) =>
  value.toLocaleString("en", {minimumFractionDigits: decimals, maximumFractionDigits: decimals});

/** Three digits that matter, as page_text.py writes money: `$1.36M`, `$455k`. */
function money(value) {
  const [size, unit] = facts.money.sizes.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
  const number = Math.abs(value / size);
  const decimals = !unit || number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return `${value < 0 ? "−" : ""}${facts.money.sign}${fixed(number, decimals)}${unit}`;
}

/** `1 account`, `1,204 accounts`. */
const counted = (number, word) => `${fixed(number)} ${word}${number === 1 ? "" : "s"}`;
