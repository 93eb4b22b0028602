// Lines of accounts in lists: the page's own templates, filled with texts by their slots.

const linkTo = (i) => `#account=${encodeURIComponent(slot("id", i))}`;

/** A new line of an account; `more` are texts that this list alone has. */
function row(template, i, more = {}) {
  const line = byId(template).content.cloneNode(true);
  const text = (name) => more[name] ?? slot(name, i);
  line.firstElementChild.className = more.way ?? "";
  line.querySelector("[data-link]").setAttribute("href", linkTo(i));
  for (const place of line.querySelectorAll("[data-slot]")) place.textContent = text(place.dataset.slot) ?? MISSING;
  for (const badge of line.querySelectorAll("[data-tier]")) {
    const tone = toneOf(text(badge.dataset.tier));
    badge.className = `tier tone-${tone}`;
    badge.querySelector("use").setAttribute("href", `#mark-${tone}`);
  }
  for (const list of line.querySelectorAll("[data-list]")) {
    const {list: name, most} = list.dataset;
    list.append(...text(name).slice(0, most).map((reason) => make("li", {}, reason)));
  }
  for (const place of line.querySelectorAll("[data-links]")) place.append(...waysOut(lists.links[i] ?? []));
  for (const place of line.querySelectorAll("[data-live]")) place.textContent = dueText(i);
  return line;
}

/** Links to an account in the systems, with blanks between. */
const waysOut = (links) => links.flatMap(({label, url}, n) => {
  const link = make("a", {href: url, target: "_blank", rel: "noopener noreferrer"}, label);
  return n ? [" ", link] : [link];
});

/** The days to renewals in the lines that the page came with. */
function countDays() {
  byId("today").textContent = today.text;
  for (const place of document.querySelectorAll("tbody [data-live]")) {
    const link = place.closest("tr").querySelector("[data-link]");
    place.textContent = dueText(places.get(decodeURIComponent(link.hash.slice("#account=".length))));
  }
}

/** A list of `items` that shows some and, by its button, more of them. The page came with its first lines. */
function growing({name, step, line, items}) {
  const [body, button] = [`${name}-rows`, `${name}-more`];
  const first = byId(body).childElementCount;
  let shown = first;
  function offer() {
    byId(button).hidden = shown >= items.length;
    byId(button).textContent = `Show ${Math.min(step, items.length - shown)} more of ${items.length}`;
    onPaper();
  }
  function onPaper() {
    if (!byId(`${name}-shown`)) return;
    byId(`${name}-shown`).textContent = fixed(shown);
    byId(`${name}-all`).textContent = fixed(items.length);
    byId(`${name}-shown`).parentElement.hidden = shown >= items.length;
  }
  function more(count) {
    const lines = document.createDocumentFragment();
    for (const item of items.slice(shown, shown + count)) lines.append(line(item));
    byId(body).append(lines);
    shown = Math.min(items.length, shown + count);
    offer();
  }
  byId(button).addEventListener("click", () => {
    const next = shown;
    more(step);
    byId(body).children[next]?.querySelector("a").focus();
  });
  offer();
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
    name: "movers", step: 25, items: lists.movers,
    line: (mover) => {
      const line = row("mover-row", mover.i, mover);
      line.querySelector(".tiers").classList.toggle("same", mover.tier_before === mover.tier);
      return line;
    },
  });
  const buttons = [...document.querySelectorAll("[data-movers]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      const way = button.dataset.movers;
      show(lists.movers.filter((mover) => !way || mover.way === way));
    });
  }
}

function startDanger() {
  if (!byId("danger-rows")) return;
  growing({name: "danger", step: 50, items: lists.danger, line: (i) => row("danger-row", i)});
}

function startCrossed() {
  if (!byId("crossed-rows")) return;
  growing({
    name: "crossed", step: 25, items: lists.crossed,
    line: (crossed) => row("crossed-row", crossed.i, crossed),
  });
}

function startDisagreed() {
  if (!byId("disagreed-rows")) return;
  growing({
    name: "disagreed", step: 25, items: lists.disagreed,
    line: (said) => row("disagreed-row", said.i, said),
  });
}

function startRenewals() {
  if (!byId("renewals-rows")) return;
  growing({name: "renewals", step: 50, items: lists.renewals, line: (i) => row("renewals-row", i)});
}
