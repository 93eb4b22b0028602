// Vega-Lite: colours are the page's own custom properties, so charts follow light, dark and print by themselves.

const SHAPES = {0: "circle", 1: "triangle-right", 2: "square", 3: "triangle-up", 4: "triangle-down", 5: "diamond", none: "cross"};
const TONES = Object.keys(SHAPES);
const tone = (name) => `var(--tone-${name})`;
const scriptsRead = new Promise((done) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", done);
  else done();
});

const CONFIG = {
  background: "transparent",
  font: "inherit",
  view: {stroke: null},
  axis: {
    labelColor: "var(--muted)", titleColor: "var(--muted)", gridColor: "var(--rule)", domainColor: "var(--rule)", tickColor: "var(--rule)",
    labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
  },
};

/** Draw a chart; its tooltips and clicks get the datum's `i` or `text`, never markup. */
async function draw(element, spec, {hint, pick} = {}) {
  await scriptsRead;
  const inside = make("div", {"aria-hidden": "true"}); // the element around it says in words what it shows
  element.append(inside);
  const {view} = await window.vegaEmbed(inside, {config: CONFIG, ...spec}, {
    ast: true, // Vega's interpreter: no code is made from texts, as the page's policy demands
    actions: false, renderer: "svg", defaultStyle: false, tooltip: false,
  });
  if (hint) {
    view.addEventListener("mousemove", (event, item) => showHint(event, item?.datum && hint(item.datum)));
    view.addEventListener("mouseout", () => showHint(null, null));
  }
  if (pick) view.addEventListener("click", (_, item) => item?.datum && pick(item.datum));
}

function showHint(event, lines) {
  const box = byId("hint");
  box.hidden = !lines;
  if (!lines) return;
  box.replaceChildren(...lines.map((line) => make("div", {}, isolated(line))));
  const left = Math.min(event.clientX + 14, window.innerWidth - box.offsetWidth - 8);
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${event.clientY + 14}px`;
}
