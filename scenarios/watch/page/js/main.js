// The page: reads the address, opens the run that it names, and shows the screen.

import { actsTray, askFor } from "./acts.js";
import { address, readAddress, rewrite } from "./address.js";
import { h, problemCard } from "./dom.js";
import { listenToKeys, showKeys } from "./keys.js";
import { keep, recall } from "./memory.js";
import { campaignScreen } from "./screen_campaign.js";
import { compareScreen } from "./screen_compare.js";
import { datasetScreen } from "./screen_dataset.js";
import { decisionScreen } from "./screen_decision.js";
import { instrumentsScreen } from "./screen_instruments.js";
import { journalScreen } from "./screen_journal.js";
import { elsewhere } from "./screen_elsewhere.js";
import { runsScreen } from "./screen_runs.js";
import { shadowBadges, shadowScreen } from "./screen_shadow.js";
import { Session } from "./session.js";
import { openSource } from "./source.js";
import { plainStrip, runStrip } from "./strip.js";

const SCREENS = {
  campaign: ["Campaign", campaignScreen],
  decision: ["Decision", decisionScreen],
  instruments: ["Instruments", instrumentsScreen],
  dataset: ["Dataset", datasetScreen],
  journal: ["Journal & trust", journalScreen],
  compare: ["Compare", compareScreen],
};
/** What these are where only a broker is heard. */
const ELSEWHERE = {
  decision: elsewhere("Decision", "What was decided, and why, stands"),
  dataset: elsewhere("Dataset", "The values stand"),
  journal: elsewhere("Journal & trust", "What happened, row by row, stands"),
  compare: elsewhere("Compare", "What two runs are compared by stands"),
};
const THEME = "entropilot-theme";
const THEMES = { "": ["◐", "as the system"], dark: ["☾", "dark"], light: ["☀", "light"] };

const hosts = Object.fromEntries(["strip", "tabs", "main", "acts"].map((id) => [id, document.getElementById(id)]));
/** The state of the page, for whoever looks at it from the console. */
export const app = { source: openSource(), session: null, route: null, screen: null, ends: [], opened: 0 };

app.requery = (query) => {
  app.route.query = Object.fromEntries(Object.entries({ ...app.route.query, ...query }).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  rewrite(address(app.route.key, app.route.screen, { parts: app.route.parts, query: app.route.query, at: app.session?.shown ?? null }));
};
app.stripOf = (view) => {
  plainStrip(hosts.strip, view.name, tools(), shadowBadges(view));
  paintTheme();
};
app.toLive = () => {
  app.session.look(null);
  location.hash = address(app.route.key, app.route.screen);
  show();
};

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  app.screen?.refresh("theme");
}

function nextTheme() {
  const names = Object.keys(THEMES);
  const theme = names[(names.indexOf(recall(THEME)) + 1) % names.length];
  keep(THEME, theme);
  setTheme(theme);
  paintTheme();
}

function paintTheme() {
  const theme = recall(THEME);
  const button = document.getElementById("theme");
  if (!button) return;
  button.textContent = THEMES[theme][0];
  button.setAttribute("aria-label", `Colours: ${THEMES[theme][1]}`);
  button.title = `Colours: ${THEMES[theme][1]} (t)`;
}

function tools() {
  return [h("button", { type: "button", class: "quiet icon", id: "theme", onclick: nextTheme }), h("button", { type: "button", class: "quiet icon", "aria-label": "Keys and meanings", title: "Keys, and what the figures mean (?)", onclick: showKeys }, "?")];
}

function end() {
  app.screen?.dispose();
  app.screen = null;
  for (const each of app.ends.splice(0)) each();
}

function leaveRun() {
  app.session?.close();
  app.session = null;
}

/** Shows what the address names. */
async function show() {
  const turn = ++app.opened;
  const before = app.route;
  app.route = readAddress(location.hash);
  const { key, screen, at } = app.route;
  if (app.route.shadow) {
    if (before?.shadow === app.route.shadow && app.screen?.look) {
      app.screen.look(at);
      return;
    }
    end();
    leaveRun();
    plainStrip(hosts.strip, "Shadow", tools());
    hosts.tabs.replaceChildren();
    put(shadowScreen(app));
    return;
  }
  if (key === null) {
    end();
    leaveRun();
    plainStrip(hosts.strip, "Runs", tools());
    hosts.tabs.replaceChildren();
    put(runsScreen(app));
    return;
  }
  if (app.session?.key !== key) {
    end();
    leaveRun();
    const session = new Session(app.source, key);
    session.shown = at;
    hosts.main.replaceChildren(h("p", { class: "empty" }, "Loading …"));
    try {
      await session.open();
    } catch (problem) {
      if (turn === app.opened) fail(problem);
      session.close();
      return;
    }
    if (turn !== app.opened) {
      session.close();
      return;
    }
    app.session = session;
  } else if (before?.key === key && before.screen === screen && screen === "campaign" && app.screen) {
    app.session.look(at);
    return;
  }
  if (at !== null || app.session.shown !== at) app.session.look(at);
  end();
  open(screen);
}

function open(screen) {
  const [title, whole] = SCREENS[screen] ?? SCREENS.campaign;
  const make = app.session.campaign.has_time_travel ? whole : (ELSEWHERE[screen] ?? whole);
  app.ends.push(runStrip(hosts.strip, app.session, title, tools()), actsTray(hosts.acts, app.session), app.session.listen((topic) => (topic === "families" ? again() : app.screen?.refresh(topic))));
  paintTabs(screen);
  put(make(app));
}

/** Makes the screen anew: what it was made of has changed. */
function again() {
  end();
  open(app.route.screen);
}

function put(screen) {
  app.screen = screen;
  document.title = app.session ? `${app.session.campaign.name} – ${screen.title}` : `${screen.title} – Entropilot`;
  hosts.main.replaceChildren(screen.element);
  paintTheme();
  screen.refresh("course");
}

function fail(problem) {
  plainStrip(hosts.strip, "Not there", tools());
  hosts.tabs.replaceChildren();
  hosts.main.replaceChildren(problemCard(problem), h("p", {}, h("a", { href: "#runs" }, "All runs")));
  paintTheme();
}

function paintTabs(screen) {
  const { key } = app.route;
  const at = app.session.shown;
  const names = Object.keys(SCREENS).filter((name) => name !== "compare" || app.source.isLive);
  hosts.tabs.replaceChildren(...names.map((name) => h("a", { href: address(key, name, { at: ["campaign", "dataset"].includes(name) ? at : null }), "aria-current": name === screen ? "page" : null }, SCREENS[name][0])));
}

/** Carries out a key; returns whether it is one of ours. */
function press(key) {
  const { session, screen } = app;
  if (key === "?") return showKeys() ?? true;
  if (key === "t") return nextTheme() ?? true;
  if (key === "0") return (location.hash = "#runs");
  if (key === "/") return screen?.focusFilter ? (screen.focusFilter(), true) : false;
  if (screen?.keys?.[key]) return screen.keys[key]() ?? true;
  if (!session) return false;
  const name = Object.keys(SCREENS)[Number(key) - 1];
  if (name) return (location.hash = address(session.key, name));
  if (screen?.time && pressTime(key, screen.time)) return true;
  if (key === "e") return openMenu();
  if (["w", "i"].includes(key) && session.moment?.decision) return (location.hash = address(session.key, "decision", { parts: [session.moment.decision.decision], query: key === "w" ? { why: "1" } : {} }));
  return session.campaign.can_control && pressAct(key, session);
}

function pressTime(key, time) {
  if (key === "ArrowLeft") time.step(-1);
  else if (key === "ArrowRight") time.step(1);
  else if (key === "Home") time.look(0);
  else if (key === "l") time.look(null);
  else return false;
  return true;
}

function pressAct(key, session) {
  const waiting = app.screen?.decision !== undefined && session.waiting.includes(app.screen.decision) ? app.screen.decision : session.waiting[0];
  if (key === "p") askFor(session, session.latest.phase === "paused" ? "resume" : "pause");
  else if (key === "s") askFor(session, "stop");
  else if (key === "n") askFor(session, "add_observation");
  else if (key === "a" && waiting !== undefined) askFor(session, "approve_decision", { decision: String(waiting) });
  else if (key === "v" && waiting !== undefined) askFor(session, "veto_decision", { decision: String(waiting) });
  else return false;
  return true;
}

function openMenu() {
  const menu = document.querySelector("[data-menu=export]");
  menu?.click();
  menu?.focus();
  return Boolean(menu);
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  hosts.main.focus();
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.removeAttribute("open");
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.screen?.refresh("theme"));
window.addEventListener("hashchange", show);
listenToKeys(press);
setTheme(recall(THEME));
show();
