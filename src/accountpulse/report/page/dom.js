// Making elements. Texts become text nodes, never markup.

const byId = (id) => document.getElementById(id);

/** An element with a class, attributes and children; a child is an element or a text. */
function make(tag, {cls = "", ...attributes} = {}, ...children) {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => isKnown(child) && child !== ""));
  return node;
}

/** The shape of a tone, as marks.html draws it. */
function mark(tone) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("class", "mark");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#mark-${tone}`);
  svg.append(use);
  return svg;
}

function tierBadge(name) {
  const tone = toneOf(name);
  return make("span", {cls: `tier tone-${tone}`}, mark(tone), make("span", {}, name ?? MISSING));
}

/** A text from outside in an element of its own, so that its direction cannot reorder its neighbours. */
const isolated = (text) => make("bdi", {}, text);

/** A bar in percent of its track, with what else stands on the track. */
function track(parts) {
  const node = make("span", {cls: "track", "aria-hidden": "true"});
  for (const {cls, left, width} of parts) {
    const part = make("span", {cls});
    part.style.left = `${left}%`;
    if (width !== undefined) part.style.width = `${width}%`;
    node.append(part);
  }
  return node;
}
