// The worklist: search, filters and order over all accounts, of which some are shown.

const FIRST = 25;
const texts = []; // what the search looks at, lower case, an account
const priority = []; // an account's place by ARR × risk
const DOWN = ["risk", "arr"]; // highest first on the first click
const order = {key: "place", up: true};
let showWorklist = null;

function startWorklist() {
  lists.worklist.forEach((i, place) => { priority[i] = place + 1; });
  for (let i = 0; i < facts.count; i += 1) {
    const said = ["name", "id", "owner", "segment", "cap", "drivers", "not_rated", "step"].map((name) => cell(name, i));
    texts.push(said.filter(known).join("\n").toLowerCase());
  }
  showWorklist = growing({
    body: "worklist-rows", button: "worklist-more", first: FIRST, step: 50,
    line: (i) => row("worklist-row", i, accountTexts(i, priority[i])),
  });
  for (const button of document.querySelectorAll(".sort")) {
    button.disabled = false;
    button.addEventListener("click", () => sortBy(button.dataset.sort));
  }
  const form = byId("filters");
  form.addEventListener("input", ({target}) => {
    if (target.name === "sort") setOrder(target.value, !DOWN.includes(target.value));
    update();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { setOrder("place", true); update(); }));
  update();
}

function sortBy(key) {
  setOrder(key, order.key === key ? !order.up : !DOWN.includes(key));
  update();
}

function setOrder(key, up) {
  Object.assign(order, {key, up});
  for (const button of document.querySelectorAll(".sort")) {
    const state = button.dataset.sort === key ? (up ? "ascending" : "descending") : "none";
    button.closest("th").setAttribute("aria-sort", state);
  }
  const select = byId("filters").elements.sort;
  select.value = key;
}

function update() {
  const found = sorted(lists.worklist.filter(wanted()));
  showWorklist(found);
  const sum = found.reduce((total, i) => total + (cell("arr", i) ?? 0), 0);
  const all = counted(facts.count, "account");
  const many = found.length === facts.count ? all : `${fixed(found.length, 0)} of ${all}`;
  byId("found").textContent = found.length ? `${many}, ${money(sum)} of ARR` : "No account matches. Reset shows all of them.";
}

/** Whether an account passes the search and all filters. */
function wanted() {
  const {search, tier, band, segment, owner, renewal} = byId("filters").elements;
  const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const equal = [["tier", tier], ["band", band], ["segment", segment], ["owner", owner]].filter(([, field]) => field.value);
  return (i) => asked.every((word) => texts[i].includes(word))
    && equal.every(([name, field]) => cell(name, i) === field.value)
    && (!renewal.value || renewsWithin(i, Number(renewal.value)));
}

function renewsWithin(i, days) {
  const renewal = cell("renewal", i);
  if (!known(renewal)) return false;
  const left = daysUntil(renewal);
  return days === 0 ? left < 0 : left <= days;
}

const compareTexts = new Intl.Collator("en", {numeric: true, sensitivity: "base"}).compare;

function sortKey(key, i) {
  if (key === "place") return priority[i];
  return key === "tier" ? ranks.get(cell("tier", i)) : cell(key, i);
}

/** In order; what is not known last either way, equals by priority. */
function sorted(found) {
  const keys = new Map(found.map((i) => [i, sortKey(order.key, i)]));
  const compare = ["name", "owner"].includes(order.key) ? compareTexts : (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const sign = order.up ? 1 : -1;
  return found.sort((i, j) => {
    const [a, b] = [keys.get(i), keys.get(j)];
    if (!known(a) || !known(b)) return known(b) - known(a) || priority[i] - priority[j];
    return sign * compare(a, b) || priority[i] - priority[j];
  });
}
