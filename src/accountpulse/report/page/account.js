// One account: everything that its score rests on.

const METRIC_HEADS = [["Metric"], ["Value", "number"], ["Previous", "number"], ["Points", "number"], ["Weight", "number"], ["Contribution", "number"]];

function metricTable({metrics, sums}) {
  const body = facts.dimensions.flatMap((label, dimension) => {
    const rows = facts.metrics.flatMap((about, n) => about.dimension === dimension && metrics[n] ? [metricRow(about, metrics[n])] : []);
    return rows.length ? [make("tr", {cls: "group", role: "row"}, make("th", {scope: "rowgroup", colspan: "6", role: "rowheader"}, label)), ...rows] : [];
  });
  const head = make("thead", {role: "rowgroup"}, make("tr", {role: "row"}, ...METRIC_HEADS.map(([label, cls = ""]) => make("th", {scope: "col", role: "columnheader", cls}, label))));
  const table = make("table", {cls: "cards metrics", role: "table", "aria-label": "Metrics"}, head, make("tbody", {role: "rowgroup"}, ...body), metricFoot(sums));
  return block("Every metric", "Points: 0 unacceptable, 50 the edge of bad, 75 the edge of good, 100 excellent. Weight × points = contribution.", table);
}

function metricRow({label, about, good}, metric) {
  const number = (head, text, ...small) => make("td", {cls: "number", role: "cell", "data-label": head}, text, ...small);
  const per = metric.per ? [make("small", {}, metric.per)] : [];
  const notes = metric.notes.map((note) => make("small", {cls: "reason"}, note));
  return make("tr", {role: "row", cls: metric.unknown ? "unknown" : ""},
    make("th", {scope: "row", role: "rowheader", cls: "who"}, isolated(label), make("small", {}, about)),
    number("Value", metric.value, ...per, make("small", {cls: "good"}, metric.good ?? good), ...notes),
    number("Previous", metric.before),
    number("Points", metric.points),
    number("Weight", metric.weight),
    number("Contribution", metric.contribution));
}

function metricFoot(sums) {
  if (!sums.length) return null;
  const lines = sums.map(([label, value]) => make("tr", {role: "row"},
    make("th", {scope: "row", role: "rowheader", colspan: "5"}, label), make("td", {cls: "number", role: "cell"}, value)));
  return make("tfoot", {role: "rowgroup"}, ...lines);
}

function changes({change}) {
  const title = facts.change.since ? `What changed since ${facts.change.from}` : "What changed";
  if (change.steps === null) return block(title, "", make("p", {cls: "empty"}, change.empty));
  return block(title, "In points of health; the parts add up.", waterfallTable(change));
}

function aboutAccount({about}, id) {
  return [...about.flatMap((text, n) => n ? [" · ", isolated(text)] : [isolated(text)]), ...howFar(places.get(id)), " · ", make("code", {}, id)];
}

/** How far the renewal is, behind it: from the reader's day, on paper from the report's. */
const howFar = (i) => slot("due", i) ? [", ", make("span", {cls: "live"}, dueText(i)), make("span", {cls: "fixed"}, slot("due", i))] : [];

/** Fill the view with an account, or say that there is none with this id. */
async function showAccount(id) {
  const i = places.get(id);
  const body = byId("account-body");
  const name = isKnown(i) ? slot("name", i) : "Unknown account";
  byId("account-name").replaceChildren(isolated(name));
  document.title = `${name}, ${facts.period_text}`;
  byId("account-about").replaceChildren();
  if (!isKnown(i)) {
    body.replaceChildren(make("p", {cls: "empty"}, "This report has no account with the id ", isolated(id), ". Ids have 18 characters; the account may have come later, or have been left out."));
    return;
  }
  const view = await viewOf(i);
  if (accountInAddress() !== id) return; // another one was asked for meanwhile
  byId("account-about").replaceChildren(...aboutAccount(view, id), make("span", {cls: "ways"}, ...waysOut(view.links)));
  const months = line(view);
  body.replaceChildren(figures(view, i), reasons(i),
    make("div", {cls: "columns two"},
      make("div", {}, months.section, dimensionBars(view)), make("div", {}, changes(view), signals(view), opinions(view))),
    metricTable(view));
  months.start();
}
