// The document inside the page: facts as JSON, lists and views of accounts as gzip in base64.

const isKnown = (value) => value !== null && value !== undefined;
const facts = JSON.parse(byId("facts").textContent);
const tones = new Map(facts.tiers.map((tier) => [tier.name, tier.tone]));
const toneOf = (tier) => tones.get(tier) ?? "none";
const chunks = new Map();
const lists = {}; // slots, keys, orders; filled by `openLists`
const places = new Map(); // account's id → its index

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

async function openLists() {
  Object.assign(lists, await unpacked("lists"));
  lists.slots.id.forEach((id, i) => places.set(id, i));
}

/** One text of an account's line. */
const slot = (name, i) => lists.slots[name][i];

/** What only an account's view shows. */
async function viewOf(i) {
  const number = Math.floor(i / facts.chunk);
  if (!chunks.has(number)) chunks.set(number, unpacked(`views-${number}`));
  return picked(await chunks.get(number), i % facts.chunk);
}

/** One account out of a tree of lists. */
function picked(tree, at) {
  if (Array.isArray(tree)) return tree[at];
  return Object.fromEntries(Object.entries(tree).map(([name, inside]) => [name, picked(inside, at)]));
}
