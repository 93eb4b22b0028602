// The parts of one account's view, each made of elements and texts.

function block(title, meaning, ...children) {
  return make("section", {cls: "block"}, make("h2", {}, title), meaning ? make("p", {cls: "meaning"}, meaning) : null, ...children);
}

function figure(title, big, ...lines) {
  return make("div", {cls: "figure"}, make("h2", {}, title), make("p", {cls: "big"}, ...[big].flat()), ...lines.filter(Boolean).map((line) => make("p", {}, line)));
}

function figures(i) {
  const [health, before, risk] = ["health", "health_before", "risk"].map((name) => cell(name, i));
  const bounds = known(cell("lower", i)) ? `between ${fixed(cell("lower", i))} and ${fixed(cell("upper", i))}, whatever is not known` : "";
  const moved = known(health) && known(before) ? `${signed(health - before)} since ${facts.before?.period_text ?? "before"}` : "";
  const from = cell("tier_before", i);
  const change = known(from) && from !== cell("tier", i) ? `was ${from}` : "";
  return make("div", {cls: "headline"},
    figure("Health, higher is healthier", fixed(health), bounds, moved),
    figure("Tier", tierBadge(cell("tier", i)), change),
    figure("Churn risk, higher is riskier", [fixed(risk, 0), " ", make("small", {}, cell("band", i) ?? "")], "a risk index, not a probability"),
    figure("Coverage", known(cell("coverage", i)) ? `${fixed(cell("coverage", i), 0)} %` : MISSING, "of the scorecard's weight rests on data"));
}

function reasons(i) {
  const lines = reasonsOf(i).map((text) => make("li", {}, text));
  const step = cell("step", i);
  return block("Why", "", lines.length ? make("ul", {cls: "reasons"}, ...lines) : make("p", {}, "Nothing costs points."),
    step ? make("p", {cls: "step"}, make("strong", {}, "Next: "), step) : null);
}

/** Health a period; months without a run, or without a score, are gaps. */
function line(columns, at) {
  const values = columns.lines[at];
  const told = facts.periods.map((period, n) => `${monthOf(period)}: ${known(values[n]) ? fixed(values[n]) : period in facts.scorecards ? "no score" : "no run"}`);
  const element = make("div", {cls: "chart", role: "img", "aria-label": `Health by month. ${told.join(", ")}.`});
  const section = block("Twelve months", "Health after caps; a gap is a month without a run or a score. Lines across are the tiers' edges, dashes upright a changed scorecard.", element);
  if (values.some(known)) return {section, start: () => draw(element, lineSpec(values), {hint: ({words}) => words && [words]})};
  element.replaceWith(make("p", {cls: "empty"}, "No score in any of these months."));
  return {section, start: () => {}};
}

function changedScorecards() {
  const ran = facts.periods.filter((period) => period in facts.scorecards);
  return ran.slice(1)
    .map((period, n) => ({period, now: facts.scorecards[period], then: facts.scorecards[ran[n]]}))
    .filter(({now, then}) => now.hash !== then.hash)
    .map(({period, now}) => ({month: monthOf(period), label: `${now.name} ${now.version}`}));
}

// the year where it begins
const MONTH_LABEL = "datum.index === 0 || slice(datum.label, 0, 3) === 'Jan' ? [slice(datum.label, 0, 3), slice(datum.label, 4)] : slice(datum.label, 0, 3)";

function lineSpec(values) {
  const months = facts.periods.map(monthOf);
  const points = months.map((month, n) => ({month, health: values[n] ?? null, words: `${month}: ${fixed(values[n])}`}));
  const x = {field: "month", type: "ordinal", scale: {domain: months}, title: null, axis: {labelAngle: 0, labelOverlap: true, grid: false, labelExpr: MONTH_LABEL}};
  const y = {field: "health", type: "quantitative", scale: {domain: [0, 100]}, title: null, axis: {grid: false, values: [0, 25, 50, 75, 100]}};
  const edges = facts.tiers.filter((tier) => tier.from).map((tier) => ({health: tier.from, label: tier.name}));
  return {
    width: "container", height: 220,
    layer: [
      {data: {values: edges}, encoding: {y}, layer: [
        {mark: {type: "rule", color: "var(--rule)"}},
        {mark: {type: "text", align: "left", baseline: "bottom", x: 4, dy: -2, color: "var(--muted)", fontSize: 11}, encoding: {text: {field: "label"}}},
      ]},
      {data: {values: changedScorecards()}, encoding: {x}, layer: [
        {mark: {type: "rule", color: "var(--accent)", strokeDash: [4, 3]}},
        {mark: {type: "text", align: "right", baseline: "bottom", y: "height", dx: -5, dy: -4, color: "var(--accent)", fontSize: 11}, encoding: {text: {field: "label"}}},
      ]},
      {data: {values: points}, encoding: {x, y}, layer: [
        {mark: {type: "line", color: "var(--ink)", strokeWidth: 2}},
        {transform: [{filter: {field: "health", valid: true}}], mark: {type: "point", filled: true, opacity: 1, size: 64, color: "var(--ink)"}},
      ]},
    ],
  };
}

function dimensionBars(columns, at) {
  const rows = facts.dimensions.map((dimension) => {
    const column = columns.dimensions[dimension.name];
    const [score, lower, upper, coverage, weight] = ["score", "lower", "upper", "coverage", "weight"].map((key) => column?.[key]?.[at] ?? null);
    const parts = known(score) ? [{cls: "fill", left: 0, width: score}] : [];
    if (known(lower) && known(upper)) parts.push({cls: "range", left: lower, width: upper - lower});
    return make("tr", {},
      make("th", {scope: "row"}, dimension.label, make("small", {}, `weight ${share(weight ?? dimension.weight)}`)),
      make("td", {cls: "graph"}, track(parts)),
      make("td", {cls: "number"}, fixed(score), known(lower) ? make("small", {}, `${fixed(lower, 0)} to ${fixed(upper, 0)}`) : null),
      make("td", {cls: "number"}, share(coverage)));
  });
  const head = make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "Dimension"), make("td"), make("th", {scope: "col", cls: "number"}, "Score"), make("th", {scope: "col", cls: "number"}, "Coverage")));
  return block("Dimensions", "0 to 100, higher is healthier. The thin line is the range that what isn't known leaves open.",
    make("table", {cls: "plain dimensions"}, head, make("tbody", {}, ...rows)));
}

function signals(columns, at) {
  const found = columns.signals?.[at] ?? null;
  const counts = ["critical", "moderate", "watch"].map((severity) => [severity, columns.signal_counts?.[severity]?.[at] ?? null]);
  const told = counts.filter(([, count]) => count).map(([severity, count]) => `${fixed(count, 0)} ${severity}`).join(", ");
  if (found === null) return block("Open signals", "", make("p", {cls: "empty"}, told ? `${told}; this run kept no more about them.` : "None known to this run."));
  if (!found.length) return block("Open signals", "", make("p", {cls: "empty"}, "None."));
  const lines = found.map((signal) => make("li", {},
    make("strong", {}, signal.severity), `, ${signal.status}, since ${day(signal.date)} (${counted(signal.age_days, "day")})`));
  return block("Open signals", "", make("ul", {cls: "reasons"}, ...lines));
}
