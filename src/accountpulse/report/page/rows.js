// An account's line in a list: the texts that page_figures.py writes for the first lines, put into the page's own templates.

const linkTo = (i) => `#account=${encodeURIComponent(cell("id", i))}`;

function reasonsOf(i) {
  const caps = words(cell("cap", i));
  const held = caps.length ? [`held down by: ${caps.join(", ")}`] : [];
  return [...held, ...words(cell("drivers", i)), ...words(cell("not_rated", i))];
}

function accountTexts(i, place) {
  const [health, before, renewal] = ["health", "health_before", "renewal"].map((name) => cell(name, i));
  return {
    place: String(place), name: cell("name", i), about: cell("segment", i) ?? "", tier: cell("tier", i),
    health: fixed(health), change: known(health) && known(before) ? signed(health - before) : "",
    risk: fixed(cell("risk", i), 0), band: cell("band", i) ?? "", arr: money(cell("arr", i)),
    renewal: day(renewal), due: known(renewal) ? due(daysUntil(renewal)) : "", step: cell("step", i) ?? "",
    owner: cell("owner", i) ?? MISSING, why: reasonsOf(i),
  };
}

/** `fell`, `rose`, or neither: to be without a score, or to have had a tier that is no more, is no step. */
function wayOf(mover) {
  const [then, now] = [mover.tier_before, mover.tier].map((tier) => toneOf(tier) === "none" ? NaN : ranks.get(tier));
  const step = mover.change || then - now;
  return step < 0 ? "fell" : step > 0 ? "rose" : "";
}

function moverTexts(mover) {
  const effect = signed(mover.scorecard_effect);
  const apart = mover.scorecard_effect && effect !== "0.0" ? [`the scorecard's own change: ${effect}`] : [];
  return {
    name: cell("name", mover.i), arr: money(mover.arr), owner: cell("owner", mover.i) ?? MISSING,
    tier: mover.tier, tier_before: mover.tier_before, health: fixed(mover.health),
    health_before: fixed(mover.health_before), change: signed(mover.change), why: [...mover.words, ...apart],
  };
}

/** A new line from a template of the page. */
function row(template, i, texts) {
  const line = byId(template).content.cloneNode(true);
  line.querySelector("[data-link]").setAttribute("href", linkTo(i));
  for (const slot of line.querySelectorAll("[data-slot]")) slot.textContent = texts[slot.dataset.slot] ?? MISSING;
  for (const badge of line.querySelectorAll("[data-tier]")) {
    const tone = toneOf(texts[badge.dataset.tier]);
    badge.className = `tier tone-${tone}`;
    badge.querySelector("use").setAttribute("href", `#mark-${tone}`);
  }
  for (const list of line.querySelectorAll("[data-list]")) {
    list.append(...texts[list.dataset.list].map((text) => make("li", {}, text)));
  }
  return line;
}

/** A list that shows some lines and, by its button, more of them. */
function growing({body, button, first, step, line}) {
  let items = [];
  let shown = 0;
  function more(count) {
    const lines = document.createDocumentFragment();
    for (const item of items.slice(shown, shown + count)) lines.append(line(item));
    byId(body).append(lines);
    shown = Math.min(items.length, shown + count);
    byId(button).hidden = shown >= items.length;
    byId(button).textContent = `Show ${Math.min(step, items.length - shown)} more of ${items.length}`;
  }
  byId(button).addEventListener("click", () => {
    const next = shown;
    more(step);
    byId(body).children[next]?.querySelector("a").focus();
  });
  return (list) => {
    items = list;
    shown = 0;
    byId(body).replaceChildren();
    more(first);
  };
}

function startMovers() {
  if (!byId("movers-rows")) return;
  const show = growing({
    body: "movers-rows", button: "movers-more", first: 10, step: 25,
    line: (mover) => {
      const line = row("mover-row", mover.i, moverTexts(mover));
      line.firstElementChild.className = wayOf(mover);
      line.querySelector(".tiers").classList.toggle("same", mover.tier_before === mover.tier);
      return line;
    },
  });
  const buttons = [...document.querySelectorAll("[data-movers]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      const way = button.dataset.movers;
      show(lists.movers.filter((mover) => !way || wayOf(mover) === way));
    });
  }
  show(lists.movers);
}

function startAttention() {
  if (!byId("attention-rows")) return;
  const show = growing({
    body: "attention-rows", button: "attention-more", first: 25, step: 50,
    line: (i) => row("attention-row", i, accountTexts(i, 0)),
  });
  show(lists.renewals.attention);
}
