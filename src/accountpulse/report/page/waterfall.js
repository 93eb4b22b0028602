// From the health of the period before to the health of now, in parts that add up as they are shown.

/** The table of a change: a bar from where each step begins to where it ends. */
function waterfallTable({begin, end, steps}) {
  let level = begin.level;
  const bars = steps.map((step) => {
    const bar = {...step, from: level, to: level + step.value};
    level += step.value;
    return bar;
  });
  const levels = [begin.level, end.level, ...bars.flatMap(({from, to}) => [from, to])];
  const low = Math.min(...levels) - 1;
  const scale = 100 / (Math.max(...levels) + 1 - low);
  const at = (value) => (value - low) * scale;
  const body = make("tbody", {});
  const line = (cls, label, parts, number) => body.append(make("tr", {cls},
    make("th", {scope: "row"}, label), make("td", {cls: "graph"}, track(parts)), make("td", {cls: "number"}, number)));
  line("end", facts.change.from, [{cls: "level", left: at(begin.level)}], begin.text);
  for (const {label, value, text, from, to} of bars) {
    const left = at(Math.min(from, to));
    line(value < 0 ? "fell" : "rose", label, [{cls: "effect", left, width: Math.max(0.5, Math.abs(value) * scale)}], text);
  }
  line("end", facts.change.to, [{cls: "level", left: at(end.level)}], end.text);
  return make("table", {cls: "plain waterfall"}, make("caption", {cls: "unseen"}, "What changed health, in points"), body);
}
