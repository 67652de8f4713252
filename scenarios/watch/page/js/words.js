// Numbers, times and phases as a person reads them.

const MINUS = "−";

/** A number of few digits; "–" where there is none. */
export function figure(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : value.toFixed(digits);
  return text.replaceAll("-", MINUS);
}

/** A value on an axis that goes through zero: as many decimals, however small it is. */
export function level(value, digits = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", MINUS);
}

/** A change with its sign. */
export function change(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return value > 0 ? `+${figure(value, digits)}` : figure(value, digits);
}

/** A value with as many digits as tell it apart: seven significant ones at most. */
export function exact(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return String(Number(value.toPrecision(7))).replaceAll("-", MINUS);
}

/** A value with its standard uncertainty. */
export function measured(value, sd) {
  return sd === null || sd === undefined ? exact(value) : `${figure(value)} ± ${figure(sd)}`;
}

/** A count with thin spaces between thousands. */
export function count(value) {
  return value === null || value === undefined ? "–" : String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");
}

/** A moment of today as a clock shows it here, of another day with its date. */
export function clock(text) {
  if (!text) return "–";
  const at = new Date(text);
  const time = at.toLocaleTimeString("en-GB");
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString("sv-SE")} ${time}`;
}

/** A time element: the clock here, the whole time in its title. */
export function span(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${Math.max(seconds, 0).toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

/** How long ago that was. */
export function ago(text) {
  return text ? `${span((Date.now() - new Date(text).getTime()) / 1000)} ago` : "–";
}

/** Words of a phase. */
export const PHASES = {
  preparing: "preparing",
  running: "running",
  paused: "paused",
  stopping: "stopping",
  finished: "finished",
  interrupted: "interrupted",
  unreadable: "unreadable",
};

/** Sign beside the word, so that no phase is told by colour alone. */
export const SIGNS = {
  preparing: "◌",
  running: "●",
  paused: "❚❚",
  stopping: "◐",
  finished: "✓",
  interrupted: "⚠",
  unreadable: "✕",
};

/** Plural of a word where there is not one. */
export function many(number, word, plural = `${word}s`) {
  return `${count(number)} ${number === 1 ? word : plural}`;
}

/** What stands beside a number of the budget. */
export function unitOfBudget(unit) {
  return unit && unit !== "candidates" ? ` ${unit}` : "";
}
