// What the address says: an account, or the search, filters and order of the worklist, so that links and history keep them.

const PREFIX = "#account=";
const LIST = "#worklist?";
const CHOICES = {tier: "tier", band: "risk", segment: "segment", owner: "owner", renewal: "renewal"}; // and their labels
const ASKED = ["search", ...Object.keys(CHOICES)]; // fields of the form
let typing = null; // a search is one step of the history, written when the reader pauses

function accountInAddress() {
  if (!location.hash.startsWith(PREFIX)) return null;
  const id = location.hash.slice(PREFIX.length);
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // not an encoded text: shown as it is, as unknown
  }
}

/** The worklist's state as an address; the first one is empty. */
function listAddress() {
  const {elements} = byId("filters");
  const asked = new URLSearchParams(ASKED.filter((name) => elements[name].value).map((name) => [name, elements[name].value]));
  if (order.key !== "place" || !order.up) asked.set("sort", `${order.key}${order.up ? "" : ",down"}`);
  return `${asked}` ? LIST + asked : "";
}

/** Keep what was asked for in the address. */
function writeAddress({isTyped = false} = {}) {
  tellUnknown([]);
  clearTimeout(typing);
  const write = () => {
    typing = null;
    if (accountInAddress() === null && listAddress() !== shownAddress()) history.pushState(null, "", listAddress() || LIST);
  };
  if (isTyped) typing = setTimeout(write, 500);
  else write();
}

/** The list's state in the address, written as `listAddress` writes it; empty where it has none. */
function shownAddress() {
  const asked = location.hash.startsWith(LIST) ? `${new URLSearchParams(location.hash.slice(LIST.length))}` : "";
  return asked && LIST + asked;
}

/** Show what the address asks for; an address of another section leaves the worklist as it is. */
function readAddress() {
  if (location.hash && !location.hash.startsWith(LIST)) return;
  tellUnknown([]);
  if (listAddress() === shownAddress()) return;
  const asked = new URLSearchParams(location.hash.slice(LIST.length));
  const {elements} = byId("filters");
  for (const name of ASKED) elements[name].value = asked.get(name) ?? "";
  const unknown = Object.keys(CHOICES).filter((name) => elements[name].selectedIndex === -1); // of another report
  for (const name of unknown) elements[name].value = "";
  tellUnknown(unknown.map((name) => `${CHOICES[name]} ${asked.get(name)}, ${name === "owner" ? "who" : "which"}`));
  const [key, way] = (asked.get("sort") ?? "").split(",");
  if (Object.hasOwn(lists.keys, key)) setOrder(key, way !== "down");
  else setOrder("place", true);
  update();
}

/** Say what the address asks for and the report doesn't have. */
function tellUnknown(asked) {
  byId("unknown-asked").hidden = !asked.length;
  byId("unknown-asked").textContent = asked
    .map((text) => `The address asks for ${text} isn't in this report: shown without it.`).join(" ");
}
