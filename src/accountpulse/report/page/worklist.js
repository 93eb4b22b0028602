// The worklist: search, filters and order over all accounts, of which some are shown.

const order = {key: "place", up: true};
let showWorklist = null;

function startWorklist() {
  showWorklist = growing({
    name: "worklist", step: 50, items: lists.worklist,
    line: (i) => row("worklist-row", i),
  });
  for (const button of document.querySelectorAll(".sort")) {
    button.disabled = false;
    button.addEventListener("click", () => {
      const {sort} = button.dataset;
      setOrder(sort, order.key === sort ? !order.up : !isLargestFirst(button));
      update();
      writeAddress();
    });
  }
  const form = byId("filters");
  form.addEventListener("input", ({target}) => {
    if (target.name === "sort") setOrder(target.value, !isLargestFirst(target.selectedOptions[0]));
    update();
    writeAddress({isTyped: target.name === "search"});
  });
  form.addEventListener("change", () => writeAddress()); // whoever leaves the search has typed to its end
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { setOrder("place", true); update(); writeAddress(); }));
  tell(lists.worklist);
}

const isLargestFirst = (choice) => "largestFirst" in choice.dataset;

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
  tell(found);
}

/** How many accounts these are, and their ARR. */
function tell(found) {
  const sum = found.reduce((total, i) => total + (lists.keys.arr[i] ?? 0), 0);
  const all = counted(lists.worklist.length, "account");
  const many = found.length === lists.worklist.length ? all : `${fixed(found.length)} of ${all}`;
  byId("found").textContent = found.length ? `${many}, ${money(sum)} of ARR` : "No account matches. Reset shows all of them.";
}

/** Whether an account passes the search and all filters. */
function wanted() {
  const {search, tier, band, segment, owner, renewal} = byId("filters").elements;
  const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const equal = [["tier", tier], ["band", band], ["segment", segment], ["owner", owner]].filter(([, field]) => field.value);
  return (i) => asked.every((word) => lists.searched[i].includes(word))
    && equal.every(([name, field]) => slot(name, i) === field.value)
    && (!renewal.value || renewsWithin(i, Number(renewal.value)));
}

/** 0 days: overdue. */
function renewsWithin(i, days) {
  const left = lists.keys.renewal[i];
  if (!isKnown(left)) return false;
  return days === 0 ? left < 0 : left <= days;
}

const compareTexts = new Intl.Collator("en", {numeric: true, sensitivity: "base"}).compare;

/** In order; what is not known last either way, equals by priority. */
function sorted(found) {
  const keys = lists.keys[order.key];
  const compare = ["name", "owner"].includes(order.key) ? compareTexts : (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const sign = order.up ? 1 : -1;
  const byPlace = (i, j) => lists.keys.place[i] - lists.keys.place[j];
  return found.sort((i, j) => {
    const [a, b] = [keys[i], keys[j]];
    if (!isKnown(a) || !isKnown(b)) return isKnown(b) - isKnown(a) || byPlace(i, j);
    return sign * compare(a, b) || byPlace(i, j);
  });
}
