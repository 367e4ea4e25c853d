// The list of traces, the way between list and trace, the keys, and what is asked for again as something arrives.
import { fact, MODEL_CALLS, spanView } from "/chat.js";
import { clock, cost, count, day, duration, element, plural, tokens, visible } from "/text.js";
import { Tree } from "/tree.js";

const EACH = 50; // rows at first, and by each request for more
const MOST = 200; // rows that are asked for again as something arrives
const id = (name) => document.getElementById(name);
const FIELDS = ["text", "model", "provider", "operation"];
const HEADINGS = [...id("head").querySelectorAll("button")];
const FLAGS = ["errors", "everything"];

const TOKEN = new URLSearchParams(location.search).get("token") ?? "";

const filters = { text: "", model: "", provider: "", operation: "", conversation: "", errors: false, everything: false, tags: [] };
let order = "start";
let traces = [];
let next = null;
let version = -1;
let trace = null;
let wanted = null; // the id of the trace that the address names, or null for the list
let selected = "";
let drawnTrace = "";
let drawnSpan = "";
let isSearchWanted = false;
let listed = 0; // the number of the latest request for the list: an earlier answer that comes later is dropped
const tree = new Tree(id("tree"), select, () => id("span").focus());

const STOPPED = id("offline").textContent;

class Unreachable extends Error {}

async function ask(path) {
  let response;
  try {
    response = await fetch(path, { headers: { Authorization: `Bearer ${TOKEN}` } });
  } catch {
    throw new Unreachable(path);
  }
  // Another token is that of a command that was started later.
  id("offline").textContent = response.status === 403 ? "The command was started again: open the address that it has printed." : STOPPED;
  if (!response.ok && response.status !== 404) throw new Unreachable(`${response.status} ${path}`);
  return response.ok ? response.json() : null;
}

// ---- the list

function query() {
  const asked = new URLSearchParams();
  for (const name of [...FIELDS, "conversation"]) if (filters[name]) asked.set(name, filters[name]);
  for (const name of FLAGS) if (filters[name]) asked.set(name, "1");
  for (const tag of filters.tags) asked.append("tag", tag);
  return asked;
}

// What is asked of the list, and what the address has of it.
function sorted() {
  const asked = query();
  if (order !== "start") asked.set("sort", order);
  return asked;
}

const listAddress = () => `#/${sorted().size ? `?${sorted()}` : ""}`;

async function load(older = false) {
  const number = ++listed;
  const asked = sorted();
  asked.set("limit", older ? EACH : Math.min(Math.max(traces.length, EACH), MOST));
  if (older) asked.set("before", next);
  const answer = await ask(`/api/traces?${asked}`);
  if (number !== listed || !answer) return;
  traces = older ? [...traces, ...answer.traces] : answer.traces;
  next = answer.next;
  drawList();
}

function drawList() {
  const focused = document.activeElement?.dataset?.trace;
  id("rows").replaceChildren(...traces.map(row));
  id("rows").dataset.sort = order;
  if (focused) id("rows").querySelector(`[data-trace="${focused}"]`)?.focus();
  id("more").hidden = next === null;
  id("head").hidden = traces.length === 0;
  if (traces.length) id("empty").hidden = true;
}

// Of a pipeline, the model that answers says more than the one that makes vectors.
const ordered = (models) => [...models].sort((one, other) => /embed/i.test(one) - /embed/i.test(other)).map(visible).join(", ");

function row(one) {
  const words = one.message ? visible(one.message) : null;
  const failed = one.errors ? element("span", { class: "badge error" }, plural(one.errors, "error", "errors")) : null;
  const about = [one.message ? one.name : "", one.service].filter(Boolean).map(visible).join(" · ");
  return element(
    "li",
    {},
    element(
      "a",
      { class: "row", href: `#/t/${one.id}`, "data-trace": one.id },
      element("time", {}, element("span", {}, clock(one.start)), element("small", {}, day(one.start))),
      element(
        "span",
        { class: "what" },
        element("span", { class: words ? "words" : "words none" }, words ?? visible(one.name)),
        element("small", {}, failed, `${about}${about ? " · " : ""}${plural(one.spans, "span", "spans")}`),
      ),
      element("span", { class: "models", title: ordered(one.models) }, element("span", {}, ordered(one.models)), element("small", {}, one.providers.map(visible).join(", "))),
      element("span", { class: "number duration" }, duration(one.duration)),
      element("span", { class: "number tokens" }, tokens(one.input_tokens, one.output_tokens)),
      element("span", { class: "number cost" }, one.cost === null ? "" : cost(one.cost)),
    ),
  );
}

async function loadChoices() {
  const choices = await ask("/api/choices");
  fill("model", "Model", choices.models);
  fill("provider", "Provider", choices.providers);
  fill("operation", "Operation", choices.operations);
  id("keys").replaceChildren(...choices.keys.map((key) => element("option", { value: `${key}=` })));
  const { traces: all, with_calls: calls } = choices.counts;
  const lost = choices.dropped ? `, ${count(choices.dropped)} spans not kept` : "";
  id("live").textContent = plural(filters.everything ? all : calls, "trace", "traces") + lost;
  if (!traces.length) drawEmpty(choices);
}

function fill(name, any, values) {
  const wanted = filters[name] && !values.includes(filters[name]) ? [...values, filters[name]] : values;
  const options = [element("option", { value: "" }, any), ...wanted.map((value) => element("option", { value }, visible(value)))];
  const select = id(name);
  if (select.options.length !== options.length || [...select.options].some((old, at) => old.value !== options[at].value)) select.replaceChildren(...options);
  select.value = filters[name];
  select.classList.toggle("set", Boolean(filters[name]));
}

function drawEmpty(choices) {
  const place = id("empty");
  place.hidden = false;
  if (query().size) {
    place.replaceChildren(element("h2", {}, "Nothing matches"), element("p", {}, "No trace matches all of these filters."), button("Clear the filters", clear));
  } else if (choices.counts.traces) {
    place.replaceChildren(
      element("h2", {}, "No call of a model yet"),
      element("p", {}, `${plural(choices.counts.traces, "trace", "traces")} arrived, without an operation of GenAI.`),
      button("Show all traces", () => change({ everything: true })),
    );
  } else {
    const lines = Object.entries(choices.environment).map(([name, value]) => `export ${name}=${value}`);
    place.replaceChildren(
      element("h2", {}, "Nothing has arrived yet"),
      element("p", {}, "Start an application with these variables, and its calls appear here as they end."),
      element("pre", { class: "code" }, `${lines.join("\n")}\nopentelemetry-instrument python app.py`),
      element("p", { class: "quiet" }, "The third one records messages; without it there are none. Nothing leaves this machine."),
    );
  }
}

function button(label, action) {
  const made = element("button", { type: "button" }, label);
  made.addEventListener("click", action);
  return made;
}

function drawFilters() {
  for (const name of FIELDS) if (id(name) !== document.activeElement) id(name).value = filters[name];
  for (const name of FLAGS) id(name).checked = filters[name];
  for (const heading of HEADINGS) heading.setAttribute("aria-pressed", heading.dataset.sort === order);
  const chips = filters.tags.map((tag) => chip(tag, () => change({ tags: filters.tags.filter((other) => other !== tag) })));
  if (filters.conversation) chips.push(chip(`conversation ${filters.conversation}`, () => change({ conversation: "" })));
  id("chips").replaceChildren(...chips);
}

function chip(label, remove) {
  const made = button(visible(label), remove);
  made.className = "chip";
  made.setAttribute("aria-label", `Remove the filter ${visible(label)}`);
  return made;
}

function change(changed) {
  Object.assign(filters, changed);
  traces = [];
  history.replaceState(null, "", listAddress());
  drawFilters();
  guarded(async () => {
    await load();
    await loadChoices();
  });
}

function sort(by) {
  order = by;
  change({});
}

const clear = () => change({ text: "", model: "", provider: "", operation: "", conversation: "", errors: false, everything: false, tags: [] });

// ---- one trace

async function openTrace(identifier, span) {
  const found = await ask(`/api/traces/${encodeURIComponent(identifier)}`);
  if (identifier !== wanted) return; // the user has gone on
  if (!found) {
    trace = null;
    drawnTrace = drawnSpan = "";
    id("title").textContent = "This trace is not there, or no longer";
    for (const name of ["facts", "turns", "tree", "span"]) id(name).replaceChildren();
    return;
  }
  const isNew = trace?.id !== found.id;
  const text = JSON.stringify(found);
  if (isNew || text !== drawnTrace) {
    drawnTrace = text;
    trace = found;
    drawTrace();
  }
  const known = (one) => trace.tree.some((other) => other.id === one);
  // The last call of a model has the most of the conversation.
  const first = trace.tree.findLast((one) => MODEL_CALLS.has(one.operation)) ?? trace.tree[0];
  const shown = [span, selected].find(known) ?? first?.id;
  if (tree.trace !== trace || shown !== tree.selected) tree.show(trace, shown);
  if (isNew) tree.focus();
  if (shown) await openSpan(shown);
}

function drawTrace() {
  id("title").textContent = visible(trace.name) || "Trace";
  document.title = `${visible(trace.name)} · Traces`;
  const rows = [
    ["Service", trace.service],
    ["Started", [day(trace.start), clock(trace.start)].filter(Boolean).join(" ")],
    ["Duration", duration(trace.duration)],
    ["Tokens", tokens(trace.input_tokens, trace.output_tokens)],
    ["Cost", trace.cost === null ? "" : cost(trace.cost)],
    ["Errors", trace.errors ? count(trace.errors) : "", "error"],
    ["Spans", trace.tree.length < trace.spans ? `the first ${count(trace.tree.length)} of ${count(trace.spans)}` : count(trace.spans)],
  ];
  id("facts").replaceChildren(...rows.filter(([, value]) => value).map(([name, value, kind]) => fact(name, value, kind)));
  drawTurns();
}

function drawTurns() {
  const at = trace.turns.findIndex((turn) => turn.id === trace.id);
  if (trace.turns.length < 2) return id("turns").replaceChildren();
  const turn = (to, sign, label) => (to ? element("a", { href: `#/t/${to.id}`, "aria-label": label }, sign) : element("span", { class: "quiet" }, sign));
  id("turns").replaceChildren(
    turn(trace.turns[at - 1], "‹", "Previous turn"),
    element("span", {}, `Turn ${at + 1} of ${trace.turns.length}`),
    turn(trace.turns[at + 1], "›", "Next turn"),
  );
}

async function openSpan(span) {
  selected = span;
  const owner = trace.id;
  const found = await ask(`/api/traces/${owner}/spans/${encodeURIComponent(span)}`);
  if (!found || span !== selected || owner !== wanted) return;
  // What a user has unfolded stays so, unless something has arrived for this span.
  const text = JSON.stringify(found);
  if (text === drawnSpan) return;
  drawnSpan = text;
  id("span").replaceChildren(...spanView(found));
  id("span").scrollTop = 0;
}

function select(span, isClicked) {
  tree.mark(span);
  history.replaceState(null, "", `#/t/${trace.id}/${span}`);
  guarded(async () => {
    await openSpan(span);
    // On a narrow screen the span is below the tree.
    if (isClicked && matchMedia("(max-width: 899px)").matches) id("span").scrollIntoView({ block: "start" });
  });
}

// ---- the way between them

async function route() {
  const [path, asked] = location.hash.slice(1).split("?");
  const [, kind, identifier, span] = path.split("/");
  const isTrace = kind === "t" && Boolean(identifier);
  wanted = isTrace ? identifier : null;
  id("list").hidden = isTrace;
  id("detail").hidden = !isTrace;
  if (isTrace) {
    if (trace?.id !== identifier) {
      selected = "";
      scrollTo(0, 0);
    }
    id("back").href = listAddress();
    await openTrace(identifier, span);
    return;
  }
  const left = trace?.id;
  trace = null;
  drawnSpan = "";
  document.title = "Traces";
  readFilters(new URLSearchParams(asked));
  drawFilters();
  await load();
  await loadChoices();
  if (isSearchWanted) search();
  else if (left) id("rows").querySelector(`[data-trace="${left}"]`)?.focus();
}

function search() {
  isSearchWanted = false;
  id("text").focus();
  id("text").select();
}

function readFilters(asked) {
  for (const name of [...FIELDS, "conversation"]) filters[name] = asked.get(name) ?? "";
  for (const name of FLAGS) filters[name] = asked.get(name) === "1";
  filters.tags = asked.getAll("tag");
  const named = asked.get("sort");
  order = HEADINGS.some((heading) => heading.dataset.sort === named) ? named : "start";
}

async function guarded(action) {
  try {
    await action();
    id("offline").hidden = true;
    id("live").classList.add("on");
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    id("offline").hidden = false;
  }
}

async function refresh() {
  if (document.hidden) return;
  await guarded(async () => {
    const status = await ask("/api/status");
    if (status.version === version) return;
    version = status.version;
    if (wanted) return openTrace(wanted, selected);
    await load();
    await loadChoices();
  });
  if (!id("offline").hidden) id("live").classList.remove("on");
}

// ---- keys and fields

function move(step) {
  const rows = [...id("rows").querySelectorAll("a")];
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const isTyping = event.target.matches("input:not([type=checkbox]), select");
  const isList = !id("list").hidden;
  if (event.key === "Escape") {
    if (isTyping) {
      if (event.target === id("text") && filters.text) change({ text: (event.target.value = "") });
      else event.target.blur();
    } else if (!isList && id("span").contains(event.target)) tree.focus();
    else if (!isList) location.hash = listAddress();
  } else if (event.key === "/" && !isTyping) {
    event.preventDefault();
    isSearchWanted = true;
    if (isList) search();
    else location.hash = listAddress();
  } else if (isList && (event.key === "ArrowDown" || event.key === "ArrowUp") && !(isTyping && event.target !== id("text"))) {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  }
});

let typed = 0;
id("text").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(() => change({ text: id("text").value.trim() }), 200);
});
for (const name of ["model", "provider", "operation"]) id(name).addEventListener("change", () => change({ [name]: id(name).value }));
for (const name of FLAGS) id(name).addEventListener("change", () => change({ [name]: id(name).checked }));
id("tag").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const tag = id("tag").value.trim();
  if (!/^[^=]+=./.test(tag)) return;
  id("tag").value = "";
  change({ tags: [...new Set([...filters.tags, tag])] });
});
for (const heading of HEADINGS) heading.addEventListener("click", () => sort(heading.dataset.sort));
id("filters").addEventListener("submit", (event) => event.preventDefault());
id("more").firstElementChild.addEventListener("click", () => guarded(() => load(true)));
window.addEventListener("hashchange", () => guarded(route));
document.addEventListener("visibilitychange", () => refresh());

await guarded(route);
setInterval(refresh, 1000);
