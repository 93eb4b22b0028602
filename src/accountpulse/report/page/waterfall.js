// From the health of the period before to the health of now, in parts that add up as they are shown.

const LARGEST = 5; // metrics by name; the others are told as one sum

/** The parts of an account's change in the order they are shown; null where there is no change to tell. */
function partsOfChange(columns, at) {
  const change = columns.change;
  if (!change || !known(change.total?.[at])) return null;
  const {scorecard, coverage, caps, metrics} = change.parts;
  const moved = facts.catalogue
    .map((metric) => ({label: metric.label, value: metrics[metric.name]?.[at] ?? 0}))
    .filter((part) => part.value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const others = moved.slice(LARGEST);
  return [
    {label: "the scorecard's own change", value: scorecard[at] ?? 0},
    {label: "what became known or unknown", value: coverage[at] ?? 0},
    ...moved.slice(0, LARGEST),
    {label: counted(others.length, "other metric"), value: others.reduce((sum, part) => sum + part.value, 0)},
    {label: "caps", value: caps[at] ?? 0},
  ].filter((part) => part.value !== 0);
}

function waterfall(columns, at, health) {
  const parts = partsOfChange(columns, at);
  if (!parts) return null;
  const begin = Number(digits(columns.change.health_before_change[at], 1));
  const end = Number(digits(health, 1));
  const shown = addingUp(parts.map((part) => part.value), end - begin);
  let level = begin;
  const steps = shown.map((value, n) => {
    const step = {label: parts[n].label, value, from: level, to: level + value};
    level += value;
    return step;
  });
  return {begin, end, steps};
}

function waterfallTable({begin, end, steps}) {
  const levels = [begin, end, ...steps.flatMap(({from, to}) => [from, to])];
  const low = Math.min(...levels) - 1;
  const scale = 100 / (Math.max(...levels) + 1 - low);
  const at = (value) => (value - low) * scale;
  const body = make("tbody", {});
  const line = (cls, label, parts, number) => body.append(make("tr", {cls},
    make("th", {scope: "row"}, label), make("td", {cls: "graph"}, track(parts)), make("td", {cls: "number"}, number)));
  line("end", facts.since ? monthOf(facts.since) : "before", [{cls: "level", left: at(begin)}], fixed(begin));
  for (const {label, value, from, to} of steps) {
    const left = at(Math.min(from, to));
    line(value < 0 ? "fell" : "rose", label, [{cls: "effect", left, width: Math.max(0.5, Math.abs(value) * scale)}], signed(value));
  }
  line("end", monthOf(facts.period), [{cls: "level", left: at(end)}], fixed(end));
  return make("table", {cls: "plain waterfall"}, make("caption", {cls: "unseen"}, "What changed health, in points"), body);
}
