// The parts of one account's view, each made of elements and texts.

function block(title, meaning, ...children) {
  return make("section", {cls: "block"}, make("h2", {}, title), meaning ? make("p", {cls: "meaning"}, meaning) : null, ...children);
}

function figure(title, big, ...lines) {
  return make("div", {cls: "figure"}, make("h2", {}, title), make("p", {cls: "big"}, ...[big].flat()), ...lines.filter(Boolean).map((line) => make("p", {}, line)));
}

function figures({figures: {bounds, probability, moved, was, coverage}}, i) {
  return make("div", {cls: "headline"},
    figure("Health, higher is healthier", slot("health", i), bounds, moved),
    figure("Tier", tierBadge(slot("tier", i)), was),
    figure("Churn risk, higher is riskier", [slot("risk", i), " ", make("small", {}, slot("band", i))], "a risk index, not a probability", probability),
    figure("Coverage", coverage, "of the scorecard's weight rests on data"));
}

function reasons(i) {
  const lines = slot("why", i).map((text) => make("li", {}, text));
  const step = slot("step", i);
  return block("Why", "", lines.length ? make("ul", {cls: "reasons"}, ...lines) : make("p", {}, "Nothing costs points."),
    step ? make("p", {cls: "step"}, make("strong", {}, "Next: "), step) : null);
}

/** Health a period; months without a run, or without a score, are gaps. */
function line({months}) {
  const texts = facts.months.map((month, n) => `${month}: ${months.texts[n]}`);
  const element = make("div", {cls: "chart", role: "img", "aria-label": `Health by month. ${texts.join(", ")}.`});
  const section = block("Twelve months", "Health after caps; a gap is a month without a run or a score. Lines across are the tiers' edges, dashes upright a changed scorecard.", element);
  if (months.health.some(isKnown)) {
    return {section, start: () => draw(element, lineSpec(months.health, texts), {hint: ({text}) => text && [text]})};
  }
  element.replaceWith(make("p", {cls: "empty"}, "No score in any of these months."));
  return {section, start: () => {}};
}

// the year where it begins
const MONTH_LABEL = "datum.index === 0 || slice(datum.label, 0, 3) === 'Jan' ? [slice(datum.label, 0, 3), slice(datum.label, 4)] : slice(datum.label, 0, 3)";

function lineSpec(values, texts) {
  const {months} = facts;
  const points = months.map((month, n) => ({month, health: values[n], text: texts[n]}));
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
      {data: {values: facts.scorecard_changes}, encoding: {x}, layer: [
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

function dimensionBars({dimensions}) {
  const rows = facts.dimensions.map((label, n) => {
    const {score, lower, upper, texts} = dimensions[n];
    const parts = isKnown(score) ? [{cls: "fill", left: 0, width: score}] : [];
    if (isKnown(lower) && isKnown(upper)) parts.push({cls: "range", left: lower, width: upper - lower});
    return make("tr", {},
      make("th", {scope: "row"}, label, make("small", {}, texts.weight)),
      make("td", {cls: "graph"}, track(parts)),
      make("td", {cls: "number"}, texts.score, texts.range ? make("small", {}, texts.range) : null),
      make("td", {cls: "number"}, texts.coverage));
  });
  const head = make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "Dimension"), make("td"), make("th", {scope: "col", cls: "number"}, "Score"), make("th", {scope: "col", cls: "number"}, "Coverage")));
  return block("Dimensions", "0 to 100, higher is healthier. The thin line is the range that what isn't known leaves open.",
    make("table", {cls: "plain dimensions"}, head, make("tbody", {}, ...rows)));
}

function signals({signals: {lines, empty}}) {
  if (!lines.length) return block("Open signals", "", make("p", {cls: "empty"}, empty));
  return block("Open signals", "", make("ul", {cls: "reasons"},
    ...lines.map(([severity, rest]) => make("li", {}, make("strong", {}, severity), rest))));
}

function opinions({opinions: lines}) {
  if (!lines.length) return null;
  return block("What people say", "Beside the score, and no part of it.", make("ul", {cls: "reasons"}, ...lines.map((text) => make("li", {}, text))));
}
