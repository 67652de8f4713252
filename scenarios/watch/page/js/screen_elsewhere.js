// What a broker does not tell of a campaign: decisions, values and the journal stand in the run's folder.

import { approvalButtons } from "./decision_card.js";
import { card, h, swap } from "./dom.js";

/** Says of a part that only the run's folder has it. */
export function notTold(what) {
  return h("p", { class: "empty" }, `${what} in the journal, and a broker does not tell it: start `, h("code", {}, "entropilot watch"), " in the folder where the campaign's agent works.");
}

/** The buttons of the decisions that wait for a person: of these a broker tells the numbers. */
export function waitingDecisions(session) {
  return session.waiting.map((decision) => h("div", { class: "row" }, h("b", {}, `Decision ${decision}`), approvalButtons(session, { decision })));
}

/** Makes the screen that stands in place of one that needs the journal. */
export function elsewhere(title, what) {
  return (app) => {
    const { session } = app;
    const waiting = h("div", { class: "stack" });
    const paint = () => swap(waiting, JSON.stringify([session.waiting, session.campaign.can_control]), () => waitingDecisions(session));
    return { element: card(title, {}, notTold(what), title === "Decision" ? waiting : null), title, refresh: paint, dispose: () => {} };
  };
}
