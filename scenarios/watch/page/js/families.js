// The families, poorest first: their line, their values, their entropy with its band, and how far they are behind.

import { h, named, svg } from "./dom.js";
import { isDark, look } from "./looks.js";
import { change, count, figure, level } from "./words.js";

/** The sample of a family's line. */
export function sample(index) {
  const { colour, dash } = look(index, isDark());
  return svg(
    "svg",
    { class: "sample", width: "26", height: "8", viewBox: "0 0 26 8", "aria-hidden": "true" },
    svg("line", { x1: "1", y1: "4", x2: "25", y2: "4", stroke: colour, "stroke-width": "2", "stroke-dasharray": dash.join(" ") }),
  );
}

/** Families of a moment, poorest first; those without an entropy lead. */
export function poorestFirst(families) {
  return [...families].sort((one, other) => (one.entropy ?? -Infinity) - (other.entropy ?? -Infinity));
}

/** What the table says, so that it is made again only where that differs. */
export function familiesSignature(moment, focused) {
  return JSON.stringify([moment?.families, moment?.starved_family, focused, isDark()]);
}

/** The table of the families of a moment. */
export function familiesTable(session, moment, { focused, onFocus }) {
  const families = poorestFirst(moment?.families ?? []);
  const most = Math.max(...families.map((each) => each.entropy ?? -Infinity));
  const order = session.campaign.families;
  const rows = families.map((each) => {
    const share = each.entropy === null ? 0 : Math.exp(each.entropy - most);
    const bar = h("span", { class: "bar" });
    bar.style.setProperty("--share", share.toFixed(4));
    const isStarved = each.family === moment.starved_family;
    const band = each.low === null || each.high === null ? null : h("span", { class: "muted band", title: `90 % band: ${figure(each.low)} to ${figure(each.high)} nat` }, ` ±${level((each.high - each.low) / 2)}`);
    return h(
      "tr",
      { class: isStarved ? "starved" : "", onmouseenter: () => onFocus(each.family), onmouseleave: () => onFocus(null) },
      h("th", { scope: "row" }, h("button", { type: "button", class: "line-of", "aria-pressed": String(focused === each.family), "data-focus": `family-${each.family}`, title: "Show this line alone", onclick: () => onFocus(each.family, true) }, sample(Math.max(order.indexOf(each.family), 0)), named(each.family)), isStarved ? h("span", { class: "tag" }, "starved") : null),
      h("td", { class: "n" }, count(each.size)),
      h("td", { class: "n" }, level(each.entropy), band),
      h("td", { class: "bar-cell", title: `e^(h − h of the richest) = ${figure(share, 2)}` }, bar),
      h("td", { class: `n ${each.change > 0 ? "up" : each.change < 0 ? "down" : "muted"}` }, each.change === null || each.change === undefined ? "" : change(each.change)),
    );
  });
  return h(
    "div",
    { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Families, poorest first" },
    h(
      "table",
      { class: "families tight" },
      h("caption", { class: "unseen" }, "Families, poorest first"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Family"), h("th", { scope: "col", class: "n" }, "Values"), h("th", { scope: "col", class: "n", title: "Differential entropy of the family's values [nat], ± half its 90 % band" }, "Entropy"), h("th", { scope: "col", class: "bar-cell", title: "e^(h − h of the richest): how wide the family is spread, of the widest" }, "Spread"), h("th", { scope: "col", class: "n", title: "By the last observation [nat]" }, "Change"))),
      h("tbody", {}, rows),
    ),
  );
}
