// Lines over observations: drawn by uPlot, labelled at their ends, appended to in place.

import { MANY_FAMILIES, colourOf, isDark, look } from "./looks.js";
import { exact, level } from "./words.js";

/** Room for the labels at the right end [px]. */
const LABELS_PX = 138;
const NARROW_LABELS_PX = 84;
/** Width below which a panel is narrow [px]. */
const NARROW_PX = 560;
/** Least distance of two labels [px]. */
const LABEL_STEP_PX = 14;
/** How far bands may widen the panel, of the height of the lines. */
const BAND_SHARE = 0.35;
/** Least time between two drawings of what came by itself [ms]: four a second, as the server tells it. */
const DRAW_MS = 240;
/** The same where what came is less than a pixel wide: of 20,000 observations twenty share one. */
const STILL_MS = 1000;
const SEEN_PX = 0.5;

const dot = () => window.devicePixelRatio || 1;

/** Cuts a name so that it and what follows it have room. */
function labelled(ctx, name, value, room) {
  const letters = Array.from(name);
  const text = () => `\u2068${letters.join("")}\u2069 ${value}`;
  if (ctx.measureText(text()).width <= room) return text();
  letters.push("…");
  while (letters.length > 2 && ctx.measureText(text()).width > room) letters.splice(-2, 1);
  return text();
}

/** One panel of lines. `lines(course)` gives [{name, values, look}] in a fixed order. */
export class Chart {
  constructor(host, options) {
    this.host = host;
    this.options = options;
    this.names = options.names;
    this.strong = new Set(options.names);
    this.banded = [];
    this.focused = null;
    this.markers = [];
    this.window = null;
    this.drawnAt = 0;
    this.timer = null;
    this.leavesPanel = false;
    this.watch = new ResizeObserver(() => this.#fit());
    this.watch.observe(host);
  }

  dispose() {
    clearTimeout(this.timer);
    this.watch.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  /** Makes the plot again, where the look has changed. */
  restyle() {
    const course = this.course;
    this.plot?.destroy();
    this.plot = null;
    if (course) this.show(course);
  }

  /** Draws a course; what came by itself is drawn at most four times a second. */
  show(course, { strong = null, banded = null, isLive = false } = {}) {
    this.course = course;
    if (strong) this.strong = new Set(strong);
    if (banded) this.banded = banded;
    if (!this.plot) {
      this.#make();
      return;
    }
    const wait = isLive ? this.drawnAt + (this.#moves() ? DRAW_MS : STILL_MS) - performance.now() : 0;
    if (wait > 0) {
      this.timer ??= setTimeout(() => this.#draw(), wait);
      return;
    }
    this.#draw();
  }

  /** Whether what came moves the lines by a part of a pixel that can be seen. */
  #moves() {
    const { length } = this.course.x;
    return (length - this.drawnPoints) * this.plot.bbox.width > SEEN_PX * dot() * length;
  }

  #draw() {
    clearTimeout(this.timer);
    this.timer = null;
    if (!this.plot) return;
    this.drawnAt = performance.now();
    this.drawnPoints = this.course.x.length;
    this.plot.setData(this.#table(), this.window === null);
    if (this.window !== null) this.plot.redraw(true);
    this.#place();
  }

  #table() {
    const empty = [];
    return [this.course.x, ...this.names.map((name) => this.options.values(this.course, name) ?? empty)];
  }

  /** The vertical line of the observation that is looked at; null for none. */
  mark(observation) {
    this.marked = observation;
    this.#place();
  }

  focus(name) {
    if (this.focused === name) return;
    this.focused = name;
    this.plot?.redraw(false);
  }

  setMarkers(markers) {
    this.markers = markers;
    this.plot?.redraw(false);
  }

  /** Shows a part of the course, or with null all of it. */
  zoom(window) {
    this.window = window;
    if (!this.plot) return;
    if (window) this.plot.setScale("x", { min: window[0], max: window[1] });
    else this.plot.setData(this.#table(), true);
    this.#place();
  }

  #size() {
    const width = Math.max(this.host.clientWidth, 200);
    return { width, height: this.options.height(width) };
  }

  #fit() {
    if (!this.plot) return;
    if (this.isNarrow !== this.host.clientWidth < NARROW_PX) {
      this.restyle();
      return;
    }
    const size = this.#size();
    if (size.width !== this.plot.width || size.height !== this.plot.height) {
      this.plot.setSize(size);
      this.#place();
    }
  }

  #make() {
    const narrow = this.host.clientWidth < NARROW_PX;
    this.isNarrow = narrow;
    const axis = { stroke: colourOf("muted"), grid: { stroke: colourOf("grid"), width: 1 }, ticks: { show: false }, font: `11px ${getComputedStyle(document.body).fontFamily}` };
    const labels = this.options.labels === false ? 12 : narrow ? NARROW_LABELS_PX : LABELS_PX;
    this.plot = new window.uPlot(
      {
        ...this.#size(),
        padding: [10, labels, 0, 4],
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: this.options.onZoom !== undefined, y: false, setScale: false } },
        select: { show: this.options.onZoom !== undefined, left: 0, top: 0, width: 0, height: 0 },
        scales: { x: { time: false, range: (_, low, high) => this.window ?? [low ?? 0, Math.max(high ?? 1, (low ?? 0) + 1)] }, y: { range: (_, low, high) => this.#range(low, high) } },
        axes: [
          { ...axis, size: 26, gap: 4, space: 60, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000], values: (_, ticks) => ticks.map((each) => String(each)) },
          { ...axis, size: 44, gap: 6, space: this.options.labels === false ? 26 : 42, values: (_, ticks) => ticks.map(exact) },
        ],
        series: [{}, ...this.names.map((name, index) => this.#line(name, index))],
        hooks: {
          drawAxes: [() => this.#drawBands()],
          draw: [() => this.#drawLabels()],
          setCursor: [(plot) => this.#hover(plot)],
          setSelect: [(plot) => this.#select(plot)],
        },
      },
      this.#table(),
      this.host,
    );
    this.drawnAt = performance.now();
    this.drawnPoints = this.course.x.length;
    this.plot.over.addEventListener("click", (event) => this.#click(event));
    this.cursor = document.createElement("div");
    this.cursor.className = "mark";
    this.plot.over.append(this.cursor);
    this.#place();
  }

  #line(name, index) {
    const style = () => look(this.options.lookIndex?.(name) ?? index, isDark());
    return {
      scale: "y",
      stroke: () => (this.#isStrong(name) ? style().colour : colourOf("faintline")),
      dash: style().dash,
      width: this.options.labels === false ? 1.6 : this.names.length > MANY_FAMILIES ? 1.1 : 1.7,
      points: { show: (plot) => plot.data[0].length < 3 },
      spanGaps: false,
    };
  }

  #isStrong(name) {
    return this.focused ? name === this.focused : this.strong.has(name);
  }

  #range(low, high) {
    if (low === null || low === undefined || !Number.isFinite(low)) return [0, 1];
    const span = Math.max(high - low, Math.abs(high) * 1e-3, 1e-6);
    let [least, most] = [low, high];
    for (const name of this.#bandsNow()) {
      const band = this.course.bands?.[name];
      for (const value of band?.low ?? []) least = Math.min(least, value);
      for (const value of band?.high ?? []) most = Math.max(most, value);
    }
    const [floor, ceiling] = [low - BAND_SHARE * span, high + BAND_SHARE * span];
    this.leavesPanel = least < floor || most > ceiling;
    this.options.onRange?.(this.leavesPanel);
    return [Math.max(least, floor) - 0.05 * span, Math.min(most, ceiling) + 0.05 * span];
  }

  #bandsNow() {
    return this.focused ? [this.focused] : this.banded;
  }

  #drawBands() {
    const { plot, course } = this;
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const name of this.#bandsNow()) {
      const band = course.bands?.[name];
      if (!band || band.x.length === 0) continue;
      ctx.beginPath();
      band.x.forEach((x, index) => ctx[index ? "lineTo" : "moveTo"](plot.valToPos(x, "x", true), plot.valToPos(band.high[index], "y", true)));
      for (let index = band.x.length - 1; index >= 0; index--) ctx.lineTo(plot.valToPos(band.x[index], "x", true), plot.valToPos(band.low[index], "y", true));
      ctx.closePath();
      ctx.fillStyle = look(this.options.lookIndex?.(name) ?? this.names.indexOf(name), isDark()).colour;
      ctx.globalAlpha = 0.14;
      ctx.fill();
      ctx.globalAlpha = 0.7;
      this.#drawEdges(ctx, bbox, band);
    }
    ctx.globalAlpha = 1;
    this.#drawMarkers(ctx, bbox);
    ctx.restore();
  }

  /** Marks where a band leaves the panel: a triangle in the middle of each such part. */
  #drawEdges(ctx, bbox, band) {
    const { min, max } = this.plot.scales.y;
    const size = 4 * dot();
    for (const [values, edge, leaves, way] of [[band.high, bbox.top, (each) => each > max, 1], [band.low, bbox.top + bbox.height, (each) => each < min, -1]]) {
      let begin = null;
      for (let index = 0; index <= values.length; index++) {
        const isOut = index < values.length && leaves(values[index]);
        if (isOut) begin ??= index;
        else if (begin !== null) {
          const x = this.plot.valToPos((band.x[begin] + band.x[index - 1]) / 2, "x", true);
          ctx.beginPath();
          ctx.moveTo(x, edge);
          ctx.lineTo(x - size, edge + way * 1.6 * size);
          ctx.lineTo(x + size, edge + way * 1.6 * size);
          ctx.fill();
          begin = null;
        }
      }
    }
  }

  #drawMarkers(ctx, bbox) {
    ctx.strokeStyle = colourOf("muted");
    ctx.lineWidth = dot();
    for (const marker of this.markers) {
      const x = Math.round(this.plot.valToPos(marker.observation, "x", true));
      ctx.setLineDash(marker.isAct ? [2 * dot(), 3 * dot()] : []);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top + (marker.isAct ? 0 : bbox.height - 8 * dot()));
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }

  #drawLabels() {
    if (this.options.labels === false) return;
    const { plot } = this;
    const { ctx, bbox } = plot;
    const scale = dot();
    const right = bbox.left + bbox.width;
    const shown = this.names.filter((name) => this.#isStrong(name)).map((name) => ({ name, ...this.#end(name) })).filter((each) => each.value !== undefined);
    shown.sort((one, other) => other.value - one.value);
    let below = -Infinity;
    const step = LABEL_STEP_PX * scale;
    for (const each of shown) {
      each.y = Math.max(each.at, below + step);
      below = each.y;
    }
    const excess = shown.length ? shown[shown.length - 1].y - (bbox.top + bbox.height) : 0;
    let above = Infinity;
    for (const each of excess > 0 ? [...shown].reverse() : []) {
      each.y = Math.min(each.y - 0, above - step, bbox.top + bbox.height);
      above = each.y;
    }
    ctx.save();
    ctx.font = `${11 * scale}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    for (const each of shown) {
      const { colour } = look(this.options.lookIndex?.(each.name) ?? this.names.indexOf(each.name), isDark());
      ctx.strokeStyle = colourOf("faintline");
      ctx.lineWidth = scale;
      ctx.beginPath();
      ctx.moveTo(right + 2 * scale, each.at);
      ctx.lineTo(right + 9 * scale, each.y);
      ctx.stroke();
      ctx.fillStyle = colour;
      ctx.fillText(labelled(ctx, this.options.title?.(each.name) ?? each.name, level(each.value), ctx.canvas.width - right - 14 * scale), right + 12 * scale, each.y);
    }
    ctx.restore();
  }

  #end(name) {
    const values = this.plot.data[this.names.indexOf(name) + 1];
    for (let row = values.length - 1; row >= 0; row--) {
      if (values[row] !== null && values[row] !== undefined) return { value: values[row], at: this.plot.valToPos(values[row], "y", true) };
    }
    return {};
  }

  #place() {
    if (!this.cursor || !this.plot) return;
    const shows = this.marked !== null && this.marked !== undefined;
    this.cursor.hidden = !shows;
    if (shows) this.cursor.style.transform = `translateX(${Math.round(this.plot.valToPos(this.marked, "x"))}px)`;
  }

  #observationAt(left) {
    const observation = Math.round(this.plot.posToVal(left, "x"));
    return Math.min(Math.max(observation, this.course.x[0] ?? 0), this.course.x[this.course.x.length - 1] ?? 0);
  }

  #hover(plot) {
    if (!this.options.onHover) return;
    const { left, top } = plot.cursor;
    if (left < 0) {
      this.options.onHover(null);
      return;
    }
    const observation = this.#observationAt(left);
    const row = this.course.indexOf(observation);
    let nearest = null;
    this.names.forEach((name, index) => {
      const value = plot.data[index + 1][row];
      if (value === null || value === undefined) return;
      const distance = Math.abs(plot.valToPos(value, "y") - top);
      if (!nearest || distance < nearest.distance) nearest = { name, value, distance };
    });
    this.options.onHover({ observation, left, top, nearest });
  }

  #select(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const window = [this.#observationAt(left), this.#observationAt(left + width)];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.zoomedAt = performance.now();
    if (window[1] - window[0] >= 2) this.options.onZoom?.(window);
  }

  #click(event) {
    if (performance.now() - (this.zoomedAt ?? -1000) < 200) return;
    const box = this.plot.over.getBoundingClientRect();
    this.options.onPick?.(this.#observationAt(event.clientX - box.left));
  }
}
