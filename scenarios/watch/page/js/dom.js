// Elements without markup: what strangers named becomes text, never HTML.

/** Makes an element. Attributes that begin with "on" are listeners; null, undefined and false leave one out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (name === "checked" || name === "disabled" || name === "hidden") element[name] = true;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

/** A name of a stranger's table: isolated, so that its direction cannot reorder what stands beside it. */
export function named(text, attributes = {}) {
  return h("bdi", { class: "name", title: String(text ?? ""), ...attributes }, String(text ?? ""));
}

/** A sentence that may hold names of strangers: isolated likewise, but never cut. */
export function told(text) {
  return h("bdi", { class: "told" }, String(text ?? ""));
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Replaces what stands in an element only when it says something else, and keeps the focus where it was. */
export function swap(element, signature, make) {
  if (element.signature === signature) return;
  element.signature = signature;
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  element.replaceChildren(...[make()].flat(3).filter(Boolean));
  if (focused) element.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** Sets the text of an element, if it is another one. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A card: a section with a heading of its own. */
export function card(title, attributes, ...children) {
  const id = `card-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  const { class: kind = "", aside, ...rest } = attributes ?? {};
  return h(
    "section",
    { class: `card ${kind}`, "aria-labelledby": id, ...rest },
    h("header", { class: "card-head" }, h("h2", { id }, title), aside),
    ...children,
  );
}

/** A table that scrolls by itself where it is too wide; `heads` are texts or [text, class]. */
export function table(caption, heads, rows, attributes = {}) {
  const cells = heads.map((head) => (Array.isArray(head) ? head : [head, ""]));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      attributes,
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, cells.map(([text, kind]) => h("th", { scope: "col", class: kind }, text)))),
      h("tbody", {}, rows),
    ),
  );
}

/** Reads a message to those who listen to the page. */
export function announce(text, loud = false) {
  const region = document.getElementById(loud ? "alarm" : "said");
  if (region) region.textContent = text;
}

/** What a refusal of the server says: found, expected, action. */
export function problemCard(problem) {
  const what = problem?.found ? problem : { found: String(problem?.message ?? problem), expected: "", action: "" };
  return h(
    "div",
    { class: "problem", role: "alert" },
    h("strong", {}, told(what.found)),
    what.expected ? h("p", {}, "Expected: ", told(what.expected)) : null,
    what.action ? h("p", {}, "What to do: ", told(what.action)) : null,
  );
}
