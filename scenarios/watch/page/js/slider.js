// The slider over every observation of the past: ◀ ▶, a number, and the way back to what is now.

import { address, rewrite } from "./address.js";
import { h, say } from "./dom.js";
import { clock, count } from "./words.js";

/** Wait before the address follows the slider [ms]: browsers refuse a hundred changes in half a minute. */
const ADDRESS_MS = 350;

/** Makes the slider of a session, over its observations or what `word` names; returns {element, step, look, dispose}. */
export function slider(session, { word = "Observation", addressOf = (at) => address(session.key, "campaign", { at }) } = {}) {
  const noun = word.toLowerCase();
  const range = h("input", { type: "range", min: "0", max: "1", step: "1", id: "slider", "aria-label": `${word} that is shown`, oninput: () => look(Number(range.value)) });
  const number = h("input", { type: "text", inputmode: "numeric", class: "number", "aria-label": word, onchange: () => typed(number.value), size: 6 });
  const back = h("button", { type: "button", class: "quiet step", "aria-label": `One ${noun} back`, title: "←", onclick: () => step(-1) }, "◀");
  const forth = h("button", { type: "button", class: "quiet step", "aria-label": `One ${noun} on`, title: "→", onclick: () => step(1) }, "▶");
  const live = h("button", { type: "button", class: "main back", title: "l", onclick: () => look(null) }, "Back to live");
  const when = h("span", { class: "when" });
  const of = h("span", { class: "muted" });
  const element = h("div", { class: "slider", role: "group", "aria-label": "Time" }, back, range, forth, h("label", { class: "row" }, h("span", { class: "muted" }, `${word} `), number, of), when, live);
  let pending = null;

  function look(observation) {
    session.look(observation);
    clearTimeout(pending);
    pending = setTimeout(() => rewrite(addressOf(session.shown)), observation === null ? 0 : ADDRESS_MS);
  }

  function step(by) {
    if (by > 0 && session.isLive) return;
    look(Math.min(Math.max((session.shown ?? session.last) + by, 0), session.last));
  }

  function typed(text) {
    const observation = Number(text);
    if (text.trim() !== "" && Number.isInteger(observation) && observation >= 0) look(Math.min(observation, session.last));
    else number.value = String(session.shown ?? session.last);
  }

  function paint() {
    const { last } = session;
    const shown = session.shown ?? last;
    if (range.max !== String(last)) range.max = String(last);
    if (range.value !== String(shown)) range.value = String(shown);
    if (document.activeElement !== number && number.value !== String(shown)) number.value = String(shown);
    range.setAttribute("aria-valuetext", `${noun} ${shown} of ${last}${session.isLive ? ", live" : ""}`);
    say(of, `of ${count(last)}`);
    say(when, session.moment?.at && !session.moment.isGuess ? clock(session.moment.at) : "");
    element.dataset.live = String(session.isLive);
    live.hidden = session.isLive || !session.source.isLive;
    forth.disabled = session.isLive;
    back.disabled = shown === 0;
  }

  const quiet = session.listen((topic) => ["shown", "moment", "latest", "points", "course"].includes(topic) && paint());
  paint();
  return { element, step, look, dispose: () => (quiet(), clearTimeout(pending)) };
}
