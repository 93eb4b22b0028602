// Renewals: date against health, area by ARR, colour and shape by tier; without a score in a strip below.

const NO_SCORE = -9; // where accounts without a score lie, below the axis of health

let renewalsDrawn = false;

/** Once, and while it is shown: a chart takes its width from the page. */
function drawRenewals() {
  const element = byId("renewals-chart");
  if (!element || renewalsDrawn) return;
  renewalsDrawn = true;
  const values = lists.points.map((point) => ({...point, date: Date.parse(point.date)}));
  draw(element, renewalsSpec(values), {hint: renewalHint, pick: ({i}) => { if (isKnown(i)) location.hash = linkTo(i); }});
  walkRenewals(element, values);
}

const STEPS = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity};

/** By keyboard: from one renewal to the next by date, said below the chart and marked in it. */
function walkRenewals(element, values) {
  const order = values.map((_, n) => n).sort((a, b) => values[a].date - values[b].date || values[a].i - values[b].i);
  let at = -1;
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && at >= 0) location.hash = linkTo(values[order[at]].i);
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    at = at < 0 && event.key !== "End" ? 0 : Math.min(order.length - 1, Math.max(0, at + STEPS[event.key]));
    markRenewal(element, order[at]);
    byId("renewals-at").textContent = `${at + 1} of ${order.length}: ${renewalHint(values[order[at]]).join(", ")}. Enter opens it.`;
  });
  element.addEventListener("blur", () => markRenewal(element, -1));
}

function markRenewal(element, n) {
  element.querySelectorAll("svg .mark-symbol path").forEach((path, place) => path.classList.toggle("at", place === n));
}

function renewalHint({i}) {
  if (!isKnown(i)) return null;
  return [
    slot("name", i), `${slot("tier", i)}, health ${slot("health", i)}`, `${slot("arr", i)} of ARR`,
    `renewal ${slot("renewal", i)}, ${dueText(i)}`,
  ];
}

function renewalsSpec(values) {
  const asOf = Date.parse(facts.as_of.date);
  const x = {field: "date", type: "temporal", scale: {type: "utc", nice: false, padding: 18}, title: null, axis: {format: "%-d %b", labelOverlap: true, grid: false, tickCount: 6}};
  const y = {
    field: "health", type: "quantitative", scale: {domain: [2 * NO_SCORE, 100]}, title: "health, higher is healthier",
    axis: {grid: false, values: [0, 25, 50, 75, 100]},
  };
  return {width: "container", height: 320, layer: [tierEdges(y), todayRule(x, asOf), renewalPoints(values, x, y)]};
}

function tierEdges(y) {
  const edges = facts.tiers.filter((tier) => tier.from).map((tier) => ({health: tier.from, label: ""}));
  return {
    data: {values: [...edges, {health: 0, label: ""}, {health: NO_SCORE, label: "no score"}]},
    encoding: {y},
    layer: [
      {transform: [{filter: {field: "health", gte: 0}}], mark: {type: "rule", color: "var(--rule)"}},
      {mark: {type: "text", align: "left", x: 4, color: "var(--muted)", fontSize: 12}, encoding: {text: {field: "label"}}},
    ],
  };
}

function todayRule(x, asOf) {
  return {
    data: {values: [{date: asOf, label: facts.as_of.text}]},
    encoding: {x},
    layer: [
      {mark: {type: "rule", color: "var(--ink)", strokeDash: [2, 3]}},
      {mark: {type: "text", align: "left", baseline: "bottom", dx: 5, y: 0, color: "var(--muted)", fontSize: 12}, encoding: {text: {field: "label"}}},
    ],
  };
}

function renewalPoints(values, x, y) {
  return {
    data: {values: values.map((value) => ({...value, health: value.health ?? NO_SCORE}))},
    mark: {type: "point", filled: true, fillOpacity: 0.75, stroke: "var(--paper)", strokeWidth: 1, cursor: "pointer"},
    encoding: {
      x, y,
      size: {field: "arr", type: "quantitative", scale: {range: [25, 1100], zero: true}, legend: null},
      color: {field: "tone", type: "nominal", scale: {domain: TONES, range: TONES.map(tone)}, legend: null},
      shape: {field: "tone", type: "nominal", scale: {domain: TONES, range: Object.values(SHAPES)}, legend: null},
    },
  };
}
