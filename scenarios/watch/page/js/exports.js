// Export of exactly what is seen: the course as a table or a picture, with the window and the moment that are shown.

import { h, announce } from "./dom.js";
import { colourOf, isDark, look } from "./looks.js";
import { figure } from "./words.js";

const SCALE = 2;

/** Saves content under a name. */
export function save(content, name) {
  const link = h("a", { href: URL.createObjectURL(content), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  announce(`${name} is saved`);
}

/** A menu of formats; `chart` is what pictures are made of. */
export function exportMenu(app, chart) {
  const { session } = app;
  const name = () => `${session.campaign.name}${session.isLive ? "" : `-at-${session.shown}`}`;
  const table = async (format) => save(await session.source.exported(session.key, { what: "trajectory", format, at: session.shown }), `${name()}.${format}`);
  const choose = (event, act) => {
    event.target.closest("details").removeAttribute("open");
    Promise.resolve(act()).catch((problem) => announce(problem.found ?? String(problem), true));
  };
  const one = (label, act) => h("button", { type: "button", "data-export": label, onclick: (event) => choose(event, act) }, label);
  return h(
    "details",
    { class: "menu" },
    h("summary", { title: "e", "data-menu": "export" }, "Export"),
    h("div", { class: "menu-list" }, one("CSV", () => table("csv")), one("JSON", () => table("json")), one("PNG", () => png(chart, session, name())), one("SVG", () => save(new Blob([svgOf(chart, session)], { type: "image/svg+xml" }), `${name()}.svg`))),
  );
}

function titleOf(session) {
  const { campaign } = session;
  return `${campaign.name}: entropy of each family${session.isLive ? "" : `, as of observation ${session.shown}`} (${campaign.property}${campaign.unit ? ` [${campaign.unit}]` : ""}, policy ${campaign.policy})`;
}

function png(chart, session, name) {
  const from = chart.plot.ctx.canvas;
  const ratio = window.devicePixelRatio || 1;
  const top = 34 * ratio;
  const canvas = h("canvas", { width: from.width, height: from.height + top });
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = colourOf("surface");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.fillStyle = colourOf("ink");
  ctx.font = `600 ${13 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.fillText(titleOf(session), 12 * ratio, 21 * ratio);
  ctx.drawImage(from, 0, top);
  if (!session.isLive) {
    const x = chart.plot.valToPos(session.shown, "x", true);
    ctx.fillStyle = colourOf("accent");
    ctx.fillRect(x, top + chart.plot.bbox.top, 1.5 * ratio, chart.plot.bbox.height);
  }
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(save(blob, `${name}.png`)), "image/png"));
}

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}

/** The window that is shown, drawn as SVG of a figure's width. */
export function svgOf(chart, session) {
  const [width, height, left, top, right, bottom] = [450 * SCALE, 220 * SCALE, 56, 40, 150, 34];
  const { plot } = chart;
  const x = ({ min, max }) => (value) => left + ((value - min) / (max - min || 1)) * (width - left - right);
  const y = ({ min, max }) => (value) => height - bottom - ((value - min) / (max - min || 1)) * (height - top - bottom);
  const [toX, toY] = [x(plot.scales.x), y(plot.scales.y)];
  const ink = colourOf("ink");
  const parts = [`<rect width="${width}" height="${height}" fill="${colourOf("surface")}"/>`, `<text x="12" y="22" font-size="13" font-weight="600" fill="${ink}">${escaped(titleOf(session))}</text>`];
  for (let tick = 0; tick <= 4; tick++) {
    const value = plot.scales.y.min + (tick / 4) * (plot.scales.y.max - plot.scales.y.min);
    parts.push(`<line x1="${left}" x2="${width - right}" y1="${toY(value)}" y2="${toY(value)}" stroke="${colourOf("grid")}"/><text x="${left - 6}" y="${toY(value) + 4}" font-size="11" text-anchor="end" fill="${ink}">${figure(value, 2)}</text>`);
    const observation = Math.round(plot.scales.x.min + (tick / 4) * (plot.scales.x.max - plot.scales.x.min));
    parts.push(`<text x="${toX(observation)}" y="${height - 12}" font-size="11" text-anchor="middle" fill="${ink}">${observation}</text>`);
  }
  chart.names.forEach((family, index) => parts.push(lineOf(plot, index, family, toX, toY, width - right)));
  if (!session.isLive) parts.push(`<line x1="${toX(session.shown)}" x2="${toX(session.shown)}" y1="${top}" y2="${height - bottom}" stroke="${colourOf("accent")}"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">${parts.join("")}</svg>`;
}

function lineOf(plot, index, family, toX, toY, end) {
  const { colour, dash } = look(index, isDark());
  const points = [];
  let last = null;
  plot.data[0].forEach((at, row) => {
    const value = plot.data[index + 1][row];
    if (value === null || value === undefined || at < plot.scales.x.min || at > plot.scales.x.max) return;
    points.push(`${toX(at).toFixed(1)},${toY(value).toFixed(1)}`);
    last = value;
  });
  if (last === null) return "";
  return `<polyline fill="none" stroke="${colour}" stroke-width="1.6" stroke-dasharray="${dash.join(" ")}" points="${points.join(" ")}"/><text x="${end + 8}" y="${toY(last) + 4}" font-size="11" fill="${colour}">${escaped(family)} ${figure(last, 2)}</text>`;
}
