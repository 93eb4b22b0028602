// The few numbers that follow what a reader does; every other text comes ready from Python.

const MISSING = "–";

/** `1,204`; with decimals `1,204.0`. */
const fixed = (value, decimals = 0) =>
  value.toLocaleString("en", {minimumFractionDigits: decimals, maximumFractionDigits: decimals});

/** Three digits that matter, as page_text.py writes money: `USD 1.36M`. */
function money(value) {
  const [size, unit] = facts.money.sizes.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
  const number = Math.abs(value / size);
  const decimals = !unit || number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return `${value < 0 ? "−" : ""}${facts.money.sign}${fixed(number, decimals)}${unit}`;
}

/** `1 account`, `1,204 accounts`. */
const counted = (number, word) => `${fixed(number)} ${word}${number === 1 ? "" : "s"}`;

/** The reader's day, and how many days it lies after the report's. */
const today = (() => {
  const now = new Date();
  const [year, month, date] = [now.getFullYear(), now.getMonth(), now.getDate()];
  const text = `${date} ${now.toLocaleString("en", {month: "short"})} ${year}`;
  return {text, after: Math.round((Date.UTC(year, month, date) - Date.parse(facts.as_of.date)) / 86_400_000)};
})();

/** How far a renewal is from the reader's day: `in 9 days`, `today`, `3 days overdue`; empty without a renewal. */
function dueText(i) {
  if (!isKnown(lists.keys.renewal[i])) return "";
  const days = lists.keys.renewal[i] - today.after;
  if (days === 0) return "today";
  return days > 0 ? `in ${counted(days, "day")}` : `${counted(-days, "day")} overdue`;
}
