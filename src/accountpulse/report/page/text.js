// Numbers and days as the page writes them; page_text.py writes the same ones.

const MISSING = "–";
const SIGNS = {USD: "$", EUR: "€", GBP: "£"};
const SIZES = [[1e9, "B"], [1e6, "M"], [1e3, "k"]];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const CHANGES = ["mau_trend_pct", "dau_trend_pct", "arr_trajectory_pct"]; // percent with a sign
const SINGULAR = {days: "day", users: "user", points: "point", steps: "step"};
const DAY = 86_400_000; // ms

const known = (value) => value !== null && value !== undefined;

/** Digits after the point, exact ties to the even digit as Python does. */
function digits(value, decimals) {
  const tie = Math.abs(value * 2 ** (decimals + 1)) % 2 === 1;
  if (!tie) return value.toFixed(decimals);
  const low = Math.floor(value * 10 ** decimals);
  return ((low % 2 === 0 ? low : low + 1) / 10 ** decimals).toFixed(decimals);
}

/** `72.4`, `1,204.0`, `−3.1`. */
function fixed(value, decimals = 1) {
  if (!known(value)) return MISSING;
  const [whole, part] = digits(Math.abs(value), decimals).split(".");
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/** `+3.0`, `−0.4`, `0.0`. */
function signed(value, decimals = 1) {
  const text = fixed(value, decimals);
  return known(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** At most so many decimals: `9.4`, `1,204`. */
function plain(value, decimals = 1) {
  const text = fixed(value, decimals);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function money(value) {
  if (!known(value)) return MISSING;
  const sign = facts.currency === null ? "" : SIGNS[facts.currency] ?? `${facts.currency} `;
  const [size, unit] = SIZES.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
  const number = Math.abs(value / size);
  const decimals = !unit || number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return `${value < 0 ? "−" : ""}${sign}${fixed(number, decimals)}${unit}`;
}

const share = (value, decimals = 0) => known(value) ? `${fixed(100 * value, decimals)} %` : MISSING;

/** `2026-11-01` → `1 Nov 2026`. */
function day(text) {
  if (!known(text)) return MISSING;
  const [year, month, date] = text.slice(0, 10).split("-").map(Number);
  return `${date} ${MONTHS[month - 1]} ${year}`;
}

/** `2026-10` → `Oct 2026`. */
const monthOf = (period) => `${MONTHS[Number(period.slice(5, 7)) - 1]} ${period.slice(0, 4)}`;

/** Whole days from the day of this report to a day. */
const daysUntil = (text) => Math.round((Date.parse(text.slice(0, 10)) - Date.parse(facts.as_of)) / DAY);

function due(days) {
  if (days === 0) return "today";
  const unit = Math.abs(days) === 1 ? "day" : "days";
  return days > 0 ? `in ${days} ${unit}` : `${-days} ${unit} overdue`;
}

/** `1 account`, `1,204 accounts`. */
const counted = (number, word) => `${fixed(number, 0)} ${word}${number === 1 ? "" : "s"}`;

const words = (text) => text ? text.split("; ") : [];

/** Seconds in their two largest units: `3 d 4 h`. */
function duration(seconds) {
  const parts = [];
  let left = Math.round(seconds);
  for (const [name, size] of [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]]) {
    const count = Math.floor(left / size);
    left %= size;
    if (count) parts.push(`${count} ${name}`);
    else if (parts.length) break;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

/** A metric's value with its unit: `5 h 12 min`, `26 %`, `3 days`, `1.5`. */
function valueText(metric, value) {
  if (!known(value)) return MISSING;
  if (metric.unit === "seconds") return duration(value);
  if (metric.unit === "percent") return `${CHANGES.includes(metric.name) && value > 0 ? "+" : ""}${plain(value)} %`;
  if (metric.unit === "count" || metric.unit === "ratio") return plain(value);
  return `${plain(value)} ${value === 1 ? SINGULAR[metric.unit] ?? metric.unit : metric.unit}`;
}

/** Numbers as shown with one decimal, so that they add up to `total` as shown: each is rounded down or up. */
function addingUp(values, total) {
  const tenths = Math.round(Number(digits(total, 1)) * 10);
  const shown = values.map((value) => Math.floor(value * 10 + 1e-6));
  const rest = values.map((value, i) => ({i, left: value * 10 - shown[i]})).sort((a, b) => b.left - a.left);
  let missing = tenths - shown.reduce((sum, value) => sum + value, 0);
  for (const {i} of rest) {
    if (missing <= 0) break;
    shown[i] += 1;
    missing -= 1;
  }
  if (shown.length) shown[rest[0].i] += missing;
  return shown.map((value) => value / 10);
}
