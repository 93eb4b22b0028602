// The document inside the page: facts as JSON, lists and details as gzip in base64.

const facts = JSON.parse(byId("facts").textContent);
const tones = new Map(facts.tiers.map((tier) => [tier.name, tier.tone]));
const ranks = new Map(facts.tiers.map((tier) => [tier.name, tier.rank]));
const toneOf = (tier) => tones.get(tier) ?? "none";
const chunks = new Map();
const lists = {}; // accounts (columns), worklist, movers, renewals; filled by `openLists`
const places = new Map(); // account's id → its index

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

async function openLists() {
  Object.assign(lists, await unpacked("lists"));
  lists.accounts.id.forEach((id, i) => places.set(id, i));
}

/** One value of an account; null where the column is not there. */
const cell = (name, i) => lists.accounts[name]?.[i] ?? null;

/** What only an account's view shows: the chunk's columns, and where the account stands in them. */
async function detailsOf(i) {
  const number = Math.floor(i / facts.chunk);
  if (!chunks.has(number)) chunks.set(number, unpacked(`details-${number}`));
  return {columns: await chunks.get(number), at: i % facts.chunk};
}
