// One account: everything that its score rests on.

const METRIC_HEADS = [["Metric"], ["Value", "number"], ["Previous", "number"], ["Points", "number"], ["Weight", "number"], ["Contribution", "number"]];

function metricTable(columns, at, i) {
  const told = facts.catalogue.map((metric) => metricCells(columns, at, metric)).filter((cells) => cells.there);
  const sum = told.reduce((total, cells) => total + (cells.contribution ?? 0), 0);
  const parts = told.filter((cells) => known(cells.contribution));
  addingUp(parts.map((cells) => cells.contribution), sum).forEach((value, n) => { parts[n].shown = value; });
  const body = facts.dimensions.flatMap((dimension) => {
    const rows = told.filter((cells) => cells.metric.dimension === dimension.name).map((cells) => metricRow(cells, i));
    return rows.length ? [make("tr", {cls: "group", role: "row"}, make("th", {scope: "rowgroup", colspan: "6", role: "rowheader"}, dimension.label)), ...rows] : [];
  });
  const head = make("thead", {role: "rowgroup"}, make("tr", {role: "row"}, ...METRIC_HEADS.map(([label, cls = ""]) => make("th", {scope: "col", role: "columnheader", cls}, label))));
  const table = make("table", {cls: "cards metrics", role: "table", "aria-label": "Metrics"}, head, make("tbody", {role: "rowgroup"}, ...body), metricFoot(parts, sum, i));
  return block("Every metric", "Points: 0 unacceptable, 50 the edge of bad, 75 the edge of good, 100 excellent. Weight × points = contribution.", table);
}

function metricCells(columns, at, metric) {
  const column = columns.metrics[metric.name];
  const get = (key) => column?.[key]?.[at] ?? null;
  const reason = get("reason");
  return {
    metric, there: column !== undefined, value: get("value"), before: get("before"), points: get("points"), weight: get("weight"),
    contribution: get("contribution"), instead: get("instead"), reason: known(reason) ? facts.reasons[reason] : "",
  };
}

/** What stands below a value: its share of the seats or the ARR, why it is missing, and what was taken instead. */
function belowValue({metric, value, instead, reason}, i) {
  const whole = metric.per ? cell(metric.per, i) : null;
  const per = known(value) && whole ? `${fixed(100 * value / whole, 0)} % of ${metric.per === "arr" ? "ARR" : `${plain(whole)} ${metric.per}`}` : "";
  const other = known(instead) && metric.instead ? `instead: ${metric.instead.label} ${valueText(metric.instead, instead)}` : "";
  return [per, reason, other].filter(Boolean).map((text) => make("small", {cls: text === per ? "" : "reason"}, text));
}

function metricRow(cells, i) {
  const {metric, value, before, points, weight, contribution, shown} = cells;
  const about = [metric.direction, metric.window, metric.source].filter(Boolean).join(" · ");
  const number = (label, text, ...small) => make("td", {cls: "number", role: "cell", "data-label": label}, text, ...small);
  return make("tr", {role: "row", cls: known(points) ? "" : "unknown"},
    make("th", {scope: "row", role: "rowheader", cls: "who"}, isolated(metric.label), make("small", {}, about)),
    number("Value", valueText(metric, value), ...belowValue(cells, i)),
    number("Previous", valueText(metric, before)),
    number("Points", fixed(points)),
    number("Weight", share(weight, 1)),
    number("Contribution", known(contribution) ? fixed(shown) : MISSING));
}

function metricFoot(parts, sum, i) {
  if (!parts.length) return null;
  const health = cell("health", i);
  const line = (label, value) => make("tr", {role: "row"}, make("th", {scope: "row", role: "rowheader", colspan: "5"}, label), make("td", {cls: "number", role: "cell"}, value));
  const caps = words(cell("cap", i)).join(", ");
  const held = known(health) && digits(health, 1) !== digits(sum, 1) ? [line(caps ? `after caps: ${caps}` : "after caps", fixed(health))] : [];
  return make("tfoot", {role: "rowgroup"}, line(known(health) ? "health before caps" : "sum of what is known", fixed(sum)), ...held);
}

function changes(columns, at, i) {
  const found = known(cell("health", i)) ? waterfall(columns, at, cell("health", i)) : null;
  const title = facts.since ? `What changed since ${monthOf(facts.since)}` : "What changed";
  if (!found) return block(title, "", make("p", {cls: "empty"}, facts.since ? "Nothing to compare: one of the two periods has no score." : "There is no earlier period."));
  return block(title, "In points of health; the parts add up.", waterfallTable(found));
}

function aboutAccount(i) {
  const renewal = cell("renewal", i);
  const arr = known(cell("arr", i)) ? `${money(cell("arr", i))} of ARR` : "ARR not known";
  const seats = known(cell("seats", i)) ? `${fixed(cell("seats", i), 0)} seats` : "";
  const when = known(renewal) ? `renewal ${day(renewal)}, ${due(daysUntil(renewal))}` : "no renewal known";
  const said = [arr, cell("segment", i), seats, cell("owner", i), when].filter(Boolean);
  return [...said.flatMap((text, n) => n ? [" · ", isolated(text)] : [isolated(text)]), " · ", make("code", {}, cell("id", i))];
}

/** Fill the view with an account, or say that there is none with this id. */
async function showAccount(id) {
  const i = places.get(id);
  const body = byId("account-body");
  byId("account-name").replaceChildren(isolated(known(i) ? cell("name", i) : "Unknown account"));
  document.title = `${known(i) ? cell("name", i) : "Unknown account"}, ${facts.period_text}`;
  if (!known(i)) {
    byId("account-about").replaceChildren();
    body.replaceChildren(make("p", {cls: "empty"}, "This report has no account with the id ", isolated(id), ". Ids have 18 characters; the account may have come later, or have been left out."));
    return;
  }
  byId("account-about").replaceChildren(...aboutAccount(i));
  const {columns, at} = await detailsOf(i);
  if (accountInAddress() !== id) return; // another one was asked for meanwhile
  const months = line(columns, at);
  body.replaceChildren(figures(i), reasons(i),
    make("div", {cls: "columns two"},
      make("div", {}, months.section, dimensionBars(columns, at)), make("div", {}, changes(columns, at, i), signals(columns, at))),
    metricTable(columns, at, i));
  months.start();
}
