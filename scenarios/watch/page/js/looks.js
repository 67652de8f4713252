// How a family's line looks: a colour of Okabe and Ito (2008) and a dash, so that it is told without its colour too.

const LIGHT = ["#0072b2", "#c14f00", "#00805d", "#a84a83", "#96690a", "#2b7fb8", "#22262b"];
const DARK = ["#56b4e9", "#ff9d5c", "#3fcf9f", "#e8a0c8", "#e9c04a", "#9fc8ff", "#eef1f4"];
/** Coprime in number with the colours: 42 families differ in one or the other. */
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [12, 4]];

/** How many families are all drawn strongly; with more, the ends are, and the others are thin. */
export const MANY_FAMILIES = 12;

/** Colour and dash of the family at a place. */
export function look(index, isDark) {
  const colours = isDark ? DARK : LIGHT;
  return { colour: colours[index % colours.length], dash: DASHES[index % DASHES.length] };
}

/** Whether the page is dark now. */
export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

let probe = null;

/** A colour of the style sheet as the canvas understands it. */
export function colourOf(name) {
  if (!probe) {
    probe = document.createElement("i");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
