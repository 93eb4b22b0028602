// Which view is shown follows the address, so that links, bookmarks and the back button work.

const TITLE = document.title;
const kept = {top: 0, link: null}; // where the portfolio was left
let followed = false; // a link to the worklist was followed, as opposed to the back button

async function route(event) {
  const id = accountInAddress();
  showHint(null, null);
  if (id === null) showPortfolio(event === undefined);
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

/** A link to the worklist with filters has no element of its own to go to; `isFirst`: the page was opened so. */
function showPortfolio(isFirst) {
  const came = !byId("account").hidden;
  const goes = location.hash.startsWith(LIST) && (isFirst || followed);
  followed = false;
  byId("account").hidden = true;
  byId("portfolio").hidden = false;
  document.title = TITLE;
  readAddress();
  drawRenewals();
  if (goes) byId("worklist").scrollIntoView();
  if (!came || goes) return;
  if (kept.link === null) {
    byId("worklist").scrollIntoView();
    return;
  }
  window.scrollTo(0, kept.top);
  kept.link.focus({preventScroll: true});
}

function follow({currentTarget}) {
  followed = location.hash !== currentTarget.hash;
  if (!followed) byId("worklist").scrollIntoView(); // it is there already
}

async function start() {
  document.documentElement.className = "scripted";
  await openLists();
  startWorklist();
  startMovers();
  startDanger();
  startCrossed();
  startDisagreed();
  startRenewals();
  countDays();
  window.addEventListener("hashchange", route);
  for (const link of document.querySelectorAll(`a[href^="${LIST}"]`)) link.addEventListener("click", follow);
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
