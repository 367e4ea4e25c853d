// Draws a board: window.BOARD has its JSON model, and what its queries answered.
const PALETTE = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#96d98d", "#ffb357", "#ca95e5", "#37872d", "#e0b400", "#1f60c4", "#fa6400", "#c4162a", "#8f3bb8"];
const NAMED = { green: "#73bf69", orange: "#ff9830", red: "#f2495c", blue: "#5794f2", text: "#ccccdc" };
const DEPTHS = ["#5794f2", "#73bf69", "#b877d9", "#f2cc0c", "#8ab8ff", "#96d98d"];
const ROW = 30, GAP = 8, WIDTH = document.documentElement.clientWidth - 24;
const { model, answers, start, end, values } = window.BOARD;

const made = (tag, attributes = {}, ...inside) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
};
const drawn = (tag, attributes, ...inside) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
};
const number = (text) => (text === "+Inf" || text === "Inf" ? Infinity : Number(text));
const named = (series, legend) => {
  const labels = Object.fromEntries(Object.entries(series.labels).filter(([name]) => name !== "__name__"));
  if (legend === "__auto") return Object.values(labels).join(" ");
  return legend.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name) => labels[name] ?? "").trim() || legend.replace(/[{}]/g, "");
};
const lasting = (values) => values.map(([, value]) => number(value)).filter((value) => !Number.isNaN(value)).at(-1);
function coloured(value, thresholds) {
  let colour = "text";
  for (const step of thresholds?.steps ?? []) if (step.value === null || value >= step.value) colour = step.color;
  return NAMED[colour] ?? colour;
}
const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 16);
const nothing = (panel) => made("div", { class: "none" }, panel.fieldConfig?.defaults?.noValue ?? "No data");

// Axes

function ticks(most, count) {
  const raw = most / count, size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * size).find((one) => one >= raw);
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, place) => place * step);
}
function axes(svg, box, most, unit, decimals) {
  for (const tick of ticks(most, Math.max(Math.floor(box.height / 38), 2))) {
    const y = box.top + box.height * (1 - tick / most);
    svg.append(drawn("line", { x1: box.left, x2: box.left + box.width, y1: y, y2: y, stroke: "rgba(204,204,220,0.08)" }));
    svg.append(drawn("text", { x: box.left - 6, y: y + 3.5, "text-anchor": "end" }, tickText(tick, unit, decimals)));
  }
  timeAxis(svg, box);
}
function timeAxis(svg, box) {
  const span = end - start, step = [30, 60, 120, 300, 600, 900, 1800, 3600].find((one) => span / one <= box.width / 70) ?? 7200;
  for (let at = Math.ceil(start / step) * step; at <= end; at += step) {
    const x = box.left + (box.width * (at - start)) / span;
    svg.append(drawn("line", { x1: x, x2: x, y1: box.top, y2: box.top + box.height, stroke: "rgba(204,204,220,0.05)" }));
    const label = step < 60 ? new Date(at * 1000).toISOString().slice(11, 19) : clock(at);
    svg.append(drawn("text", { x, y: box.top + box.height + 14, "text-anchor": "middle" }, label));
  }
}

// Panels

function timeseries(panel, answered, width, height) {
  const defaults = panel.fieldConfig.defaults, unit = defaults.unit, stacked = defaults.custom.stacking.mode === "normal";
  const lines = answered.flatMap((answer) => answer.series.map((series) => ({ name: named(series, answer.legend), points: series.values.map(([at, value]) => [at, number(value)]) })));
  const real = lines.filter((line) => line.points.some(([, value]) => Number.isFinite(value)));
  if (!real.length) return nothing(panel);
  real.sort((a, b) => (a.name < b.name ? -1 : 1)).forEach((line, place) => (line.colour = PALETTE[place % PALETTE.length]));
  const shownRows = Math.min(real.length, Math.max(Math.floor((height * 0.36) / 17) - 1, 1));
  const legend = 17 * (shownRows + 1) + 4;
  if (stacked) stack(real);
  const dots = answered.flatMap((answer) => answer.exemplars).map((one) => [one.timestamp, Number(one.value)]).filter(([at]) => at >= start && at <= end);
  let most = Math.max(...real.flatMap((line) => line.points.map(([, value]) => (Number.isFinite(value) ? value : 0))), ...dots.map(([, value]) => value).filter(() => !stacked));
  most = defaults.max ?? (most > 0 ? most * 1.08 : 1);
  const svg = drawn("svg", { width, height: height - legend });
  const widest = Math.max(...ticks(most, 4).map((tick) => tickText(tick, unit, defaults.decimals).length));
  const box = { left: 14 + widest * 6.1, top: 6, width: width - 26 - widest * 6.1, height: height - legend - 28 };
  axes(svg, box, most, unit, defaults.decimals);
  const x = (at) => box.left + (box.width * (at - start)) / (end - start);
  const y = (value) => box.top + box.height * (1 - Math.min(Math.max(value / most, 0), 1));
  const clip = `clip${panel.id}`;
  svg.append(drawn("clipPath", { id: clip }, drawn("rect", { x: box.left, y: box.top, width: box.width, height: box.height })));
  for (const line of stacked ? [...real].reverse() : real) {
    for (const run of runs(line.points)) {
      const top = run.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
      const floor = run.map(([at, , below]) => `${x(at).toFixed(1)},${y(below ?? 0).toFixed(1)}`).reverse();
      svg.append(drawn("polygon", { points: [...top, ...floor].join(" "), fill: line.colour, opacity: (defaults.custom.fillOpacity ?? 0) / 100, "clip-path": `url(#${clip})` }));
      svg.append(drawn("polyline", { points: top.join(" "), fill: "none", stroke: line.colour, "stroke-width": 1.3, "stroke-linejoin": "round" }));
    }
  }
  if (defaults.custom.thresholdsStyle?.mode === "dashed") {
    for (const step of defaults.thresholds.steps) if (step.value !== null && step.value > 0 && step.value < most) svg.append(drawn("line", { x1: box.left, x2: box.left + box.width, y1: y(step.value), y2: y(step.value), stroke: NAMED[step.color], "stroke-dasharray": "8 6", opacity: 0.75 }));
  }
  for (const [at, value] of thinned(dots)) svg.append(drawn("rect", { x: x(at) - 2.2, y: y(value) - 2.2, width: 4.4, height: 4.4, fill: "#5794f2", transform: `rotate(45 ${x(at)} ${y(value)})` }));
  return made("div", {}, svg, legendOf(real, unit, defaults.decimals, shownRows));
}
const thinned = (dots) => dots.sort((a, b) => b[1] - a[1]).filter((_, place) => place < 12 || place % Math.ceil(dots.length / 60) === 0);
function stack(lines) {
  const below = new Map();
  for (const line of lines) {
    line.own = line.points.map(([, value]) => value);
    line.points = line.points.map(([at, value]) => {
      const floor = below.get(at) ?? 0, top = floor + (Number.isFinite(value) ? value : 0);
      below.set(at, top);
      return [at, Number.isFinite(value) ? top : NaN, floor];
    });
  }
}
function runs(points) {
  const found = [[]], step = window.BOARD.step;
  for (const point of points) {
    if (!Number.isFinite(point[1])) { found.push([]); continue; }
    if (found.at(-1).length && point[0] - found.at(-1).at(-1)[0] > step * 1.5) found.push([]);
    found.at(-1).push(point);
  }
  return found.filter((run) => run.length);
}
function legendOf(lines, unit, decimals, most) {
  const table = made("table", {}, made("tr", {}, made("th", {}, "Name"), made("th", { class: "n" }, "Mean"), made("th", { class: "n" }, "Last")));
  for (const line of lines.slice(0, most)) {
    const own = (line.own ?? line.points.map(([, value]) => value)).filter(Number.isFinite);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    table.append(made("tr", {}, made("td", {}, made("i", { style: `background:${line.colour}` }), line.name), made("td", { class: "n" }, shown(mean, unit, decimals)), made("td", { class: "n" }, shown(own.at(-1), unit, decimals))));
  }
  return made("div", { class: "legend" }, table);
}

function stat(panel, answered, width, height) {
  const { unit, decimals, thresholds } = panel.fieldConfig.defaults;
  const series = answered[0]?.series[0];
  const value = series && lasting(series.values);
  if (value === undefined) return nothing(panel);
  const text = shown(value, unit, decimals), colour = coloured(value, thresholds);
  const size = Math.min((width - 20) / (text.length * 0.58), (height - 6) * 0.5, 40);
  const whole = made("div", {}, made("div", { class: "big", style: `font-size:${size}px;color:${colour}` }, text));
  if (panel.options.graphMode === "area" && series.values.length > 1) whole.append(spark(series.values, colour, width, height * 0.42));
  return whole;
}
function spark(points, colour, width, height) {
  const line = points.map(([at, value]) => [at, number(value)]).filter(([, value]) => Number.isFinite(value));
  const most = Math.max(...line.map(([, value]) => value)), least = Math.min(...line.map(([, value]) => value));
  const at = ([time, value]) => `${((width * (time - start)) / (end - start)).toFixed(1)},${(height - 2 - ((height - 4) * (value - least)) / (most - least || 1)).toFixed(1)}`;
  const svg = drawn("svg", { width, height, class: "spark" });
  const fill = colour === NAMED.text ? "#5794f2" : colour;
  svg.append(drawn("polygon", { points: `${at([line[0][0], least])} ${line.map(at).join(" ")} ${at([line.at(-1)[0], least])}`, fill, opacity: 0.12 }));
  svg.append(drawn("polyline", { points: line.map(at).join(" "), fill: "none", stroke: fill, opacity: 0.55 }));
  return svg;
}

function bargauge(panel, answered) {
  const { unit, decimals, thresholds } = panel.fieldConfig.defaults;
  const rows = answered.flatMap((answer) => answer.series.map((series) => [named(series, answer.legend), lasting(series.values)])).filter(([, value]) => value !== undefined);
  if (!rows.length) return nothing(panel);
  const most = Math.max(...rows.map(([, value]) => value)) || 1, whole = made("div", { class: "bars" });
  for (const [name, value] of rows.slice(0, 11)) {
    const colour = coloured(value, thresholds);
    whole.append(made("span", {}, name || "(none)"), made("div", {}, made("u", { style: `width:${(100 * value) / most}%;background:${colour}` })), made("b", { style: `color:${colour}` }, shown(value, unit, decimals)));
  }
  return whole;
}

function heatmap(panel, answered, width, height) {
  const buckets = answered[0].series.map((series) => [number(series.labels.le), new Map(series.values.map(([at, value]) => [at, number(value)]))]).sort((a, b) => a[0] - b[0]);
  const times = [...new Set(buckets.flatMap(([, values]) => [...values.keys()]))].sort((a, b) => a - b);
  if (!times.length) return nothing(panel);
  const cells = buckets.map(([, values], row) => times.map((at) => Math.max((values.get(at) ?? 0) - (row ? buckets[row - 1][1].get(at) ?? 0 : 0), 0)));
  const used = cells.map((row) => row.some((value) => value > 1e-9)), first = Math.max(used.indexOf(true) - 1, 0), last = Math.min(used.lastIndexOf(true) + 1, buckets.length - 1);
  const rows = buckets.slice(first, last + 1), unit = panel.options.yAxis?.unit ?? panel.fieldConfig.defaults.unit;
  const most = Math.max(...cells.flat(), 1e-9), svg = drawn("svg", { width, height });
  const box = { left: 62, top: 6, width: width - 74, height: height - 30 }, tall = box.height / rows.length, wide = box.width / ((end - start) / window.BOARD.step + 1);
  rows.forEach(([bound], row) => {
    const y = box.top + box.height - tall * (row + 1);
    times.forEach((at, column) => {
      const share = (cells[first + row][column] / most) ** 0.5;
      if (share > 0.02) svg.append(drawn("rect", { x: box.left + ((box.width - wide) * (at - start)) / (end - start), y: y + 0.5, width: wide + 0.4, height: tall - 1, fill: oranges(share) }));
    });
    if (tall > 11 || row % 2 === 0) svg.append(drawn("text", { x: box.left - 6, y: y + 8, "text-anchor": "end" }, bound === Infinity ? "+Inf" : tickText(bound, unit)));
  });
  const dots = answered[0].exemplars.map((one) => [one.timestamp, Number(one.value)]).filter(([at]) => at >= start && at <= end);
  for (const [at, value] of thinned(dots)) {
    const row = rows.findIndex(([bound]) => value <= bound);
    if (row < 0) continue;
    const x = box.left + (box.width * (at - start)) / (end - start), y = box.top + box.height - tall * (row + 0.5);
    svg.append(drawn("rect", { x: x - 2.2, y: y - 2.2, width: 4.4, height: 4.4, fill: "#5794f2", transform: `rotate(45 ${x} ${y})` }));
  }
  timeAxis(svg, box);
  return svg;
}
const oranges = (share) => `rgb(${Math.round(70 + 185 * Math.min(share * 1.4, 1))},${Math.round(38 + 130 * share)},${Math.round(20 + 70 * share ** 2)})`;

function table(panel, answered) {
  const { renameByName: names, indexByName: order } = panel.transformations.at(-1).options;
  const rows = new Map(), columns = Object.keys(names).sort((a, b) => order[a] - order[b]);
  for (const answer of answered) {
    for (const series of answer.series) {
      const key = JSON.stringify(Object.entries(series.labels).sort());
      if (!rows.has(key)) rows.set(key, { ...series.labels });
      rows.get(key)[`Value #${answer.refId}`] = number(series.values[0][1]);
    }
  }
  if (!rows.size) return nothing(panel);
  const sorted = columns.find((column) => names[column] === panel.options.sortBy[0].displayName);
  const properties = Object.fromEntries(panel.fieldConfig.overrides.map((one) => [one.matcher.options, Object.fromEntries(one.properties.map((property) => [property.id, property.value]))]));
  const head = columns.map((column) => made("th", column.startsWith("Value") ? { class: "n" } : {}, names[column]));
  const whole = made("table", {}, made("tr", {}, ...head));
  for (const row of [...rows.values()].sort((a, b) => (b[sorted] ?? 0) - (a[sorted] ?? 0))) {
    whole.append(made("tr", {}, ...columns.map((column) => {
      if (!column.startsWith("Value")) return made("td", {}, row[column] ?? "");
      const own = properties[names[column]], value = row[column];
      const colour = own.thresholds && Number.isFinite(value) ? `color:${coloured(value, own.thresholds)}` : "";
      return made("td", { class: "n", style: colour }, value === undefined ? own.noValue : shown(value, own.unit, own.decimals));
    })));
  }
  return whole;
}

function text(panel) {
  const inline = (markdown) => markdown.replace(/`([^`]+)`/g, "<code>$1</code>").replace(/\*\*([^*]+)\*\*/g, "<b>$1</b>").replace(/\*([^*]+)\*/g, "<i>$1</i>");
  const items = panel.options.content.trim().split(/\n(?=\d+\. )/).map((item) => `<li>${inline(item.replace(/^\d+\. /, ""))}</li>`);
  const whole = made("div", { class: "text" });
  whole.innerHTML = `<ol>${items.join("")}</ol>`;
  return whole;
}

// What Tempo and Loki would answer.

function foundTraces(panel, found) {
  if (!found.length) return nothing(panel);
  const head = ["Trace ID", "Start time", "Service", "Name", "Duration", "Spans"];
  const whole = made("table", {}, made("tr", {}, ...head.map((name) => made("th", name === "Duration" || name === "Spans" ? { class: "n" } : {}, name))));
  for (const one of found) whole.append(made("tr", {}, made("td", { style: "color:#6e9fff" }, one.trace), made("td", {}, new Date(one.start * 1000).toISOString().slice(0, 19).replace("T", " ")), made("td", {}, one.service), made("td", {}, one.name), made("td", { class: "n" }, shown(one.seconds, "s")), made("td", { class: "n" }, String(one.spans))));
  return whole;
}
function logs(panel, found) {
  if (!found.length) return nothing(panel);
  return made("div", { class: "log" }, ...found.map((line) => made("div", { class: line.severity }, made("time", {}, new Date(line.at * 1000).toISOString().slice(11, 23)), line.text)));
}
function traces(panel, spans, width) {
  if (!spans.length) return nothing(panel);
  const first = Math.min(...spans.map((span) => span.start)), last = Math.max(...spans.map((span) => span.start + span.seconds));
  const left = width * 0.38, wide = width * 0.55, whole = made("div", { style: "padding:4px 8px;position:relative" });
  for (const span of spans) {
    const x = left + (wide * (span.start - first)) / (last - first || 1), long = Math.max((wide * span.seconds) / (last - first || 1), 2);
    whole.append(made("div", { class: "span" }, made("b", { style: `padding-left:${span.depth * 14}px` }, span.name), made("u", { style: `left:${x}px;width:${long}px;background:${span.failed ? NAMED.red : DEPTHS[span.depth % DEPTHS.length]}` }), made("em", { style: `left:${x + long + 5}px` }, shown(span.seconds, "s"))));
  }
  return whole;
}

// The alerts of Prometheus, each with what it fires for.
function alerts(panel, found) {
  const colours = { firing: NAMED.red, pending: NAMED.orange, inactive: NAMED.green };
  const whole = made("table", {}, made("tr", {}, ...["State", "Alert", "Severity", "For", "Of what, or what it would say"].map((name) => made("th", {}, name))));
  for (const one of found) {
    const state = made("td", { style: `color:${colours[one.state]};font-weight:500` }, one.state === "firing" ? `firing (${one.count})` : one.state);
    whole.append(made("tr", {}, state, made("td", {}, one.name), made("td", {}, one.severity), made("td", {}, one.seconds ? shown(one.seconds, "s") : ""), made("td", { style: "max-width:880px" }, one.says)));
  }
  return whole;
}

const KINDS = { alerts, timeseries, stat, bargauge, heatmap, table, text, logs, traces };

// The whole

document.querySelector("h1").textContent = model.title;
document.querySelector("header p").textContent = model.description;
for (const variable of model.templating.list) {
  if (variable.hide === 2) continue;
  const value = values[variable.name];
  document.querySelector("nav").append(made("span", {}, made("b", {}, variable.label), value === ".*" ? "All" : value || (variable.type === "datasource" ? variable.query : "")));
}
const main = document.querySelector("main"), column = WIDTH / 24;
let bottom = 0;
for (const panel of model.panels) {
  const { x, y, w, h } = panel.gridPos, left = x * column, top = y * (ROW + GAP);
  const width = w * column - GAP, height = h * (ROW + GAP) - GAP;
  const section = made("section", { style: `left:${left}px;top:${top}px;width:${width}px;height:${height}px` });
  bottom = Math.max(bottom, top + height);
  main.append(section);
  if (panel.type === "row") { section.className = "row"; section.textContent = panel.title; continue; }
  const info = panel.description ? [made("i", { title: panel.description }, "i")] : [];
  section.append(made("h2", {}, panel.title, ...info));
  const draw = panel.datasource?.type === "tempo" && panel.type === "table" ? foundTraces : KINDS[panel.type];
  section.append(draw(panel, answers[panel.id], width - 2, height - 30));
}
main.style.height = `${bottom}px`;
document.body.dataset.drawn = "yes";
