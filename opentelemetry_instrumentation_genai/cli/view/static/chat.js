// One span: what is known of it, its messages as a chat, its tools, attributes and events.
import { clock, cost, count, duration, element, long, plural, visible } from "/text.js";

const MANY = 8; // messages, before the earlier ones are folded
const ROLES = { user: "User", assistant: "Assistant", system: "System", tool: "Tool", developer: "Developer" };
export const MODEL_CALLS = new Set(["chat", "text_completion", "generate_content"]);

export function spanView(span) {
  return [
    element("header", { class: "span-head" }, element("h2", {}, visible(span.name)), subtitle(span)),
    facts(span),
    failure(span),
    section("Messages", messages(span)),
    ...span.content.map((part) => section(contentTitle(part.name), [long(part.text, { class: "code" }, "pre")])),
    folded(plural(span.tools.length, "tool", "tools"), span.tools.map(tool)),
    section("Events", span.events.map((event) => eventView(event, span.start))),
    section("Links", span.links.map(link)),
    section("Attributes", table(span.attributes)),
    folded("Resource", table(span.resource)),
  ].filter(Boolean);
}

function subtitle(span) {
  const parts = [clock(span.start), span.kind, span.scope].filter(Boolean).map(visible);
  return element("p", { class: "quiet" }, parts.join(" · "));
}

function facts(span) {
  const rows = [
    ["Duration", duration(span.duration)],
    ["First token", span.first_chunk === null ? "" : duration(Math.round(span.first_chunk * 1e6))],
    ["Model", span.model],
    ["Provider", span.provider],
    ["Input tokens", amount(span.input_tokens, [[span.cached_tokens, "cached"], [span.written_tokens, "written"]])],
    ["Output tokens", amount(span.output_tokens, [[span.reasoning_tokens, "reasoning"]])],
    ["Cost", span.cost === null ? "" : cost(span.cost)],
    ["Finished by", span.finish_reasons],
  ];
  return element("dl", { class: "facts grid" }, rows.filter(([, value]) => value).map(([name, value]) => fact(name, value)));
}

export function fact(name, value, kind = "") {
  return element("div", { class: kind || null }, element("dt", {}, name), element("dd", {}, visible(value)));
}

function amount(number, parts) {
  if (number === null) return "";
  const more = parts.filter(([part]) => part).map(([part, what]) => `${count(part)} ${what}`);
  return count(number) + (more.length ? ` (${more.join(", ")})` : "");
}

function failure(span) {
  if (!span.failed) return null;
  const message = span.status && span.status !== span.error ? long(span.status) : null;
  return element("section", { class: "failure" }, element("strong", {}, visible(span.error)), message);
}

function messages(span) {
  const shown = span.messages.map(message);
  if (!shown.length) return MODEL_CALLS.has(span.operation) ? [unrecorded()] : [];
  const answers = span.messages.filter((one) => one.output).length;
  const earlier = shown.length - answers - MANY;
  if (earlier < 2) return shown;
  const fold = element("details", { class: "fold" }, element("summary", {}, `${count(earlier)} earlier messages`), shown.slice(0, earlier));
  return [fold, ...shown.slice(earlier)];
}

function unrecorded() {
  return element(
    "p",
    { class: "quiet" },
    "Messages were not recorded. They are if the application is started with ",
    element("code", {}, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only"),
    ".",
  );
}

function message(one) {
  const role = ROLES[one.role] ?? (visible(one.role) || "Message");
  const kind = Object.hasOwn(ROLES, one.role) ? one.role : "other";
  const reason = one.finish_reason && one.finish_reason !== "stop" ? element("span", { class: "badge" }, visible(one.finish_reason)) : null;
  const body = one.parts.map(part);
  return element(
    "section",
    { class: `message ${kind}${one.output ? " output" : ""}` },
    element("h4", {}, role, one.output ? element("span", { class: "quiet" }, "response") : null, reason),
    body.length ? body : element("p", { class: "quiet" }, "empty"),
  );
}

function part(one) {
  switch (one.kind) {
    case "text":
      return long(one.text, { class: "text" });
    case "reasoning":
      return element("details", { class: "fold" }, element("summary", {}, "Reasoning"), long(one.text, { class: "text reasoning" }));
    case "tool_call":
      return called("calls", one);
    case "tool_result":
      return called("result of", one);
    case "media":
      return element("p", { class: "media" }, `${visible(one.name)}, not loaded`, one.text ? element("span", { class: "quiet" }, visible(one.text)) : null);
    default:
      return element("div", { class: "call" }, element("h5", {}, visible(one.name)), long(one.text, { class: "code" }, "pre"));
  }
}

function called(verb, one) {
  const name = one.name || one.id || "tool";
  const id = one.name && one.id ? element("span", { class: "quiet" }, visible(one.id)) : null;
  return element("div", { class: "call" }, element("h5", {}, `${verb} `, element("b", {}, visible(name)), id), long(one.text, { class: "code" }, "pre"));
}

function tool(one) {
  return element(
    "div",
    { class: "call" },
    element("h5", {}, element("b", {}, visible(one.name))),
    one.description ? long(one.description, { class: "text" }) : null,
    one.parameters ? long(one.parameters, { class: "code" }, "pre") : null,
  );
}

function contentTitle(name) {
  const titles = { arguments: "Arguments", result: "Result", text: "Query", documents: "Documents" };
  return titles[name.split(".").pop()] ?? name;
}

function eventView(event, start) {
  const after = event.time >= start ? `after ${duration(event.time - start)}` : "";
  return element(
    "details",
    { class: "fold" },
    element("summary", {}, visible(event.name), element("span", { class: "quiet" }, after)),
    event.body ? long(event.body, { class: "text" }) : null,
    table(event.attributes),
  );
}

function link(one) {
  return element("p", {}, element("a", { href: `#/t/${one.trace}/${one.span}` }, `span ${one.span}`), element("span", { class: "quiet" }, ` of trace ${one.trace}`));
}

function table(pairs) {
  const rows = pairs.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, visible(name)), element("td", {}, long(value))));
  return rows.length ? [element("table", { class: "attributes" }, element("tbody", {}, rows))] : [];
}

function section(title, body) {
  return body.length ? element("section", {}, element("h3", {}, title), body) : null;
}

function folded(title, body) {
  return body.length ? element("section", {}, element("details", { class: "fold" }, element("summary", {}, title), body)) : null;
}
