// The keyboard: every act and every screen, and the list of all keys under "?", with what the figures mean.

import { h } from "./dom.js";
import { MEANINGS } from "./meanings.js";
import { keep, recall } from "./memory.js";

const OFF = "entropilot-keys-off";

/** Keys and what they do, as the list shows them. */
export const KEYS = [
  ["1 … 6", "Campaign, decision, instruments, dataset, journal & trust, compare"],
  ["0", "All runs"],
  ["← →", "One observation (on a decision: one decision) back or on"],
  ["Home, l", "The first observation; back to live"],
  ["p", "Pause, or resume"],
  ["s", "Stop"],
  ["a, v", "Approve or veto the decision that waits longest"],
  ["n", "Add a result by hand"],
  ["w, i", "Why this decision; what if another policy went on from here"],
  ["e", "Export"],
  ["/", "Filter"],
  ["t", "Dark, light, as the system"],
  ["?", "This list, and what the figures mean"],
  ["Esc", "Close"],
];

/** Whether single letters do something: people who speak to their computer switch them off. */
export function areOn() {
  return recall(OFF) !== "1";
}

/** Listens to keys; `act(key)` returns whether it did something. */
export function listenToKeys(act) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.removeAttribute("open");
        menu.querySelector("summary").focus();
      }
      return;
    }
    const isTyped = target.matches("input:not([type=range]), textarea, select, pre");
    const isArrow = event.key.startsWith("Arrow") || event.key === "Home";
    if (isTyped || (isArrow && target.matches("input, .scroll, summary")) || (!isArrow && !areOn() && event.key !== "?")) return;
    if (act(event.key)) event.preventDefault();
  });
}

/** What the figures of the page mean, folded. */
function meanings() {
  return h("details", { id: "meanings" }, h("summary", {}, "What the figures mean"), h("dl", {}, MEANINGS.flatMap(([title, words]) => [h("dt", {}, h("b", {}, title)), h("dd", {}, words)])));
}

/** Opens the list of keys, and of what the figures mean. */
export function showKeys() {
  const dialog = h("dialog", { class: "keys-list", "aria-labelledby": "keys-title" });
  const letters = h("input", { type: "checkbox", id: "letters", checked: areOn(), onchange: () => keep(OFF, letters.checked ? "0" : "1") });
  dialog.append(
    h("form", { method: "dialog" }, h("h2", { id: "keys-title" }, "Keys"), h("dl", { class: "keys-table" }, KEYS.flatMap(([key, words]) => [h("dt", {}, key.split(/, | /).map((each) => (each === "…" ? " … " : h("kbd", {}, each)))), h("dd", {}, words)])), h("label", { class: "row", for: "letters" }, letters, " Single letters do something"), meanings(), h("div", { class: "row end" }, h("button", { class: "main" }, "Close"))),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
