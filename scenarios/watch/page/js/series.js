// The course of a campaign in columns: read from bytes, appended to in place.
//
// Bytes: uint32 (little-endian) length of a JSON header, the header, then float32 of each column in turn; NaN: undefined.


/** Reads bytes into {header, columns: [Float32Array]}. */
export function decode(bytes) {
  const length = new DataView(bytes).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  const columns = header.columns.map((_, index) => new Float32Array(bytes, 4 + length + 4 * header.rows * index, header.rows));
  return { header, columns };
}

function listed(column) {
  const values = new Array(column.length);
  for (let row = 0; row < column.length; row++) values[row] = column[row] === column[row] ? column[row] : null;
  return values;
}

/** The course as it grows. `x`: observation numbers; `entropy[family]`, `metric[name]`: values or null. */
export class Course {
  constructor() {
    this.clear();
  }

  clear() {
    this.x = [];
    this.sequence = [];
    this.entropy = {};
    this.size = {};
    this.metric = {};
    this.bands = {};
    this.total = 0;
    this.reduced = false;
    this.appended = 0;
  }

  /** Takes the bytes of a window in place of what was there. */
  load(bytes) {
    const { header, columns } = decode(bytes);
    this.clear();
    this.reduced = header.reduced;
    this.total = header.total;
    const at = (test) => header.columns.findIndex(test);
    const x = columns[at((each) => each.name === "observation")];
    const sequence = columns[at((each) => each.name === "sequence")];
    const pairs = header.reduced && header.columns.some((each) => each.what === "min");
    this.x = pairs ? doubled(x, x) : Array.from(x);
    this.sequence = sequence ? (pairs ? doubled(sequence, sequence) : Array.from(sequence)) : [];
    header.columns.forEach((column, index) => {
      if (column.family === undefined && column.metric === undefined) return;
      if (column.metric !== undefined) {
        if (column.what === "min" || column.what === "max") return;
        this.metric[column.metric] = pairs ? doubled(columns[index], columns[index]) : listed(columns[index]);
      } else if (column.what === "size") {
        this.size[column.family] = pairs ? doubled(columns[index], columns[index]) : listed(columns[index]);
      } else if (column.what === "entropy" && !pairs) {
        this.entropy[column.family] = listed(columns[index]);
      } else if (column.what === "min") {
        const high = at((each) => each.family === column.family && each.what === "max");
        this.entropy[column.family] = doubled(columns[index], columns[high]);
      } else if (column.what === "low") {
        const high = at((each) => each.family === column.family && each.what === "high");
        this.bands[column.family] = banded(x, columns[index], columns[high]);
      }
    });
  }

  /** Takes the bands of a window alone: a server measures them little by little. Returns how many it has. */
  loadBands(bytes) {
    const { header, columns } = decode(bytes);
    const x = columns[header.columns.findIndex((each) => each.name === "observation")];
    const found = {};
    header.columns.forEach((column, index) => {
      if (column.what !== "low") return;
      const high = header.columns.findIndex((each) => each.family === column.family && each.what === "high");
      found[column.family] = banded(x, columns[index], columns[high]);
    });
    this.bands = found;
    return this.banded;
  }

  /** At how many observations some family has a band. */
  get banded() {
    return Math.max(0, ...Object.values(this.bands).map((each) => each.x.length));
  }

  /** Adds the rows of an event `points` that are not there yet; returns how many were. */
  append({ columns, rows }) {
    let added = 0;
    const names = columns.map(placeOf);
    const own = names.findIndex((each) => each.name === "observation");
    for (const row of rows) {
      if (this.x.length > 0 && row[own] <= this.x[this.x.length - 1]) continue;
      const band = {};
      names.forEach((place, index) => this.#put(place, row[index], band));
      for (const [family, [low, high]] of Object.entries(band)) {
        if (low !== null && high !== null && low !== undefined && high !== undefined) {
          (this.bands[family] ??= { x: [], low: [], high: [] }).x.push(row[own]);
          this.bands[family].low.push(low);
          this.bands[family].high.push(high);
        }
      }
      this.total = Math.max(this.total, row[own] + 1);
      added += 1;
    }
    this.appended += added;
    return added;
  }

  #put(place, value, band) {
    if (place.name === "observation") this.x.push(value);
    else if (place.name === "sequence") this.sequence.push(value);
    else if (place.metric !== undefined) this.#column(this.metric, place.metric).push(value);
    else if (place.what === "entropy") this.#column(this.entropy, place.family).push(value);
    else if (place.what === "size") this.#column(this.size, place.family).push(value);
    else if (place.what === "low") (band[place.family] ??= [])[0] = value;
    else if (place.what === "high") (band[place.family] ??= [])[1] = value;
  }

  #column(columns, name) {
    if (columns[name]) return columns[name];
    columns[name] = new Array(this.x.length - 1).fill(null);
    return columns[name];
  }

  /** Index of the last point that is not after an observation; -1 before the first. */
  indexOf(observation) {
    let low = 0;
    let high = this.x.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.x[middle] <= observation) low = middle;
      else high = middle - 1;
    }
    return this.x.length > 0 && this.x[low] <= observation ? low : -1;
  }

  /** Observation that stood when the journal had so many rows; null before the first. */
  observationAt(sequence) {
    let found = null;
    let low = 0;
    let high = this.sequence.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.sequence[middle] <= sequence) {
        found = this.x[middle];
        low = middle + 1;
      } else high = middle - 1;
    }
    return found;
  }
}

function placeOf(column) {
  return Object.fromEntries(Object.entries(column).filter(([, value]) => value !== null));
}

function doubled(low, high) {
  const values = new Array(2 * low.length);
  for (let row = 0; row < low.length; row++) {
    values[2 * row] = low[row] === low[row] ? low[row] : null;
    values[2 * row + 1] = high[row] === high[row] ? high[row] : null;
  }
  return values;
}

function banded(x, low, high) {
  const band = { x: [], low: [], high: [] };
  for (let row = 0; row < x.length; row++) {
    if (low[row] === low[row] && high[row] === high[row]) {
      band.x.push(x[row]);
      band.low.push(low[row]);
      band.high.push(high[row]);
    }
  }
  return band;
}

