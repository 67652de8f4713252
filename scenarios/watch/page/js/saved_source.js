// What is saved in the file itself: the same questions as to a server, answered without one.

import { Course } from "./series.js";

/** Content of a script element, unpacked: base64 of gzip. */
async function unpacked(id) {
  const bytes = bytesOf(document.getElementById(id).textContent.trim());
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let index = 0; index < letters.length; index++) bytes[index] = letters.charCodeAt(index);
  return bytes;
}

function rounded(value) {
  return value === null || value === undefined ? null : Number(value.toPrecision(7));
}

function contains(text, part) {
  return String(text).toLowerCase().includes(part.toLowerCase());
}

/** A run in one file. */
export class SavedSource {
  isLive = false;

  constructor() {
    const about = JSON.parse(document.getElementById("saved").textContent);
    this.savedAt = about.saved_at;
    this.content = null;
    if (!/^#run\//.test(location.hash)) history.replaceState(null, "", `#run/${encodeURIComponent(about.key)}`);
  }

  async #all() {
    this.content ??= unpacked("saved-content").then((bytes) => {
      this.known = JSON.parse(new TextDecoder().decode(bytes));
      return this.known;
    });
    return this.content;
  }

  /** The observation whose moment is saved, at or before another one: of a long run not all are. */
  nearest(observation) {
    let found = 0;
    for (const each of this.known?.moments ?? []) {
      if (each.observation > observation) break;
      found = each.observation;
    }
    return found;
  }

  async runs() {
    const { card } = await this.#all();
    return { runs: [card], as_of: this.savedAt };
  }

  async campaign() {
    const { campaign, why_not: whyNot } = await this.#all();
    return { ...campaign, can_control: false, why_not: whyNot };
  }

  /** The moment of an observation that `nearest` gave. */
  async moment(key, observation) {
    const { moments, latest } = await this.#all();
    if (observation === null || observation === undefined) return latest;
    return moments.find((each) => each.observation === observation) ?? latest;
  }

  series() {
    return unpacked("saved-series");
  }

  async decisions(key, offset, limit) {
    return (await this.#all()).decisions.slice(offset, offset + limit);
  }

  async decision(key, number) {
    const found = (await this.#all()).decisions.find((each) => each.decision === number);
    if (!found) throw { found: `There is no decision ${number} in this file`, expected: "one of the list", action: "" };
    return found;
  }

  async instruments() {
    return (await this.#all()).instruments;
  }

  async #rows({ at, family, text, order = "sequence" }) {
    const { dataset } = await this.#all();
    const last = at === null || at === undefined ? Infinity : at;
    const rows = dataset.filter((row) => (row.observation ?? 0) <= last && (!family || row.family === family) && (!text || contains(row.name, text) || contains(row.candidate, text)));
    const column = order.replace("-", "");
    const sign = order.startsWith("-") ? -1 : 1;
    return rows.sort((one, other) => sign * (typeof one[column] === "string" ? one[column].localeCompare(other[column]) : one[column] - other[column]));
  }

  async dataset(key, parameters) {
    const rows = await this.#rows(parameters);
    const { offset = 0, limit = 100 } = parameters;
    return { total: rows.length, offset, rows: rows.slice(offset, offset + limit) };
  }

  async setAside() {
    return (await this.#all()).set_aside;
  }

  async #events({ kind, candidate, operator }) {
    const { journal } = await this.#all();
    return journal.filter((row) => (!kind || row.kind === kind) && (!candidate || row.candidates.includes(candidate)) && (!operator || row.operator === operator));
  }

  async journal(key, parameters) {
    const { after = 0, limit = 100, tail } = parameters;
    const rows = await this.#events(parameters);
    const { journal_total: total } = await this.#all();
    if (tail) return { total, rows: rows.slice(-limit), next: null };
    const from = rows.findIndex((row) => row.sequence > after);
    const page = from < 0 ? [] : rows.slice(from, from + limit);
    return { total, rows: page, next: from >= 0 && from + limit < rows.length ? page[page.length - 1].sequence : null };
  }

  async trust() {
    return (await this.#all()).trust;
  }

  async controls() {
    return [];
  }

  async policies() {
    return [];
  }

  async exported(key, { what, format, at, ...filters }) {
    const rows = await this.#table(what, at, filters);
    if (format === "json") return new Blob([JSON.stringify(rows, null, 1)], { type: "application/json" });
    const names = Object.keys(rows[0] ?? {});
    const cell = (value) => (/[",\n]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? ""));
    return new Blob([[names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => line.map(cell).join(",")).join("\n"), "\n"], { type: "text/csv" });
  }

  async #table(what, at, filters) {
    if (what === "dataset") return (await this.#rows({ ...filters, at })).map(({ retracted, ...row }) => ({ ...row, retracted: retracted ? retracted.at : "" }));
    if (what === "journal") return (await this.#events(filters)).map(({ payload, candidates, ...row }) => ({ ...row, candidates: candidates.join(" ") }));
    return this.#trajectory(at ?? Infinity);
  }

  /** The rows of trajectory.csv, to the seven digits that are saved. */
  async #trajectory(last) {
    const course = new Course();
    course.load(await this.series());
    const { campaign } = await this.#all();
    const rows = [];
    const bands = Object.fromEntries(Object.entries(course.bands).map(([family, { x, low, high }]) => [family, new Map(x.map((at, place) => [at, [low[place], high[place]]]))]));
    course.x.forEach((observation, row) => {
      if (observation > last) return;
      const metrics = Object.fromEntries(campaign.metrics.map(({ name }) => [name, rounded(course.metric[name]?.[row])]));
      for (const family of Object.keys(course.entropy)) {
        const [low, high] = bands[family]?.get(observation) ?? [null, null];
        rows.push({ observation, family, size: course.size[family]?.[row], entropy: rounded(course.entropy[family][row]), entropy_low: rounded(low), entropy_high: rounded(high), ...metrics });
      }
    });
    return rows;
  }

  events() {
    return () => {};
  }
}
