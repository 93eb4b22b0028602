// Which view is shown follows the address, so that links, bookmarks and the back button work.

const TITLE = document.title;
const PREFIX = "#account=";
const kept = {top: 0, link: null}; // where the portfolio was left

function accountInAddress() {
  if (!location.hash.startsWith(PREFIX)) return null;
  const id = location.hash.slice(PREFIX.length);
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // not an encoded text: shown as it is, as unknown
  }
}

async function route(event) {
  const id = accountInAddress();
  showHint(null, null);
  if (id === null) showPortfolio();
  else await openAccount(id, event !== undefined);
}

async function openAccount(id, fromPortfolio) {
  if (fromPortfolio && !byId("portfolio").hidden) Object.assign(kept, {top: window.scrollY, link: document.activeElement});
  await showAccount(id);
  byId("portfolio").hidden = true;
  byId("account").hidden = false;
  window.scrollTo(0, 0);
  byId("account-name").focus({preventScroll: true});
}

function showPortfolio() {
  const came = !byId("account").hidden;
  byId("account").hidden = true;
  byId("portfolio").hidden = false;
  document.title = TITLE;
  drawRenewals();
  if (!came) return;
  if (kept.link === null) {
    byId("worklist").scrollIntoView();
    return;
  }
  window.scrollTo(0, kept.top);
  kept.link.focus({preventScroll: true});
}

async function start() {
  document.documentElement.className = "scripted";
  await openLists();
  startWorklist();
  startMovers();
  startAttention();
  window.addEventListener("hashchange", route);
  byId("back").addEventListener("click", (event) => {
    event.preventDefault();
    if (kept.link) history.back();
    else location.hash = "#worklist";
  });
  await route();
  document.documentElement.classList.add("ready");
}

if (typeof DecompressionStream === "function") start();
else document.documentElement.className = "no-script";
