// The spans of a trace as a tree beside a waterfall. Arrow keys move in it as in any tree.
import { duration, element, visible } from "/text.js";

const KINDS = { invoke_agent: "agent", invoke_workflow: "agent", create_agent: "agent", step: "agent", execute_tool: "tool", retrieval: "tool" };

export class Tree {
  constructor(root, select, leave) {
    this.root = root;
    this.select = select;
    this.closed = new Set();
    this.trace = null;
    this.spans = [];
    this.selected = "";
    root.addEventListener("keydown", (event) => this.key(event, leave));
    root.addEventListener("click", (event) => this.click(event));
  }

  show(trace, selected) {
    this.trace = trace;
    this.spans = trace.tree;
    this.start = trace.start;
    this.length = Math.max(trace.duration, 1);
    this.selected = selected;
    this.draw();
  }

  mark(selected) {
    this.selected = selected;
    for (const row of this.root.children) {
      const is = row.dataset.span === selected;
      row.setAttribute("aria-selected", String(is));
      row.tabIndex = is ? 0 : -1;
    }
  }

  focus() {
    this.root.querySelector("[tabindex='0']")?.focus();
  }

  draw() {
    const had = this.root.contains(document.activeElement);
    this.root.replaceChildren(...this.shown().map((span) => this.row(span)));
    this.mark(this.selected);
    if (had) this.focus();
  }

  shown() {
    const found = [];
    let below = Infinity;
    for (const span of this.spans) {
      if (span.depth > below) continue;
      below = this.closed.has(span.id) ? span.depth : Infinity;
      found.push(span);
    }
    return found;
  }

  row(span) {
    const isOpen = span.children ? String(!this.closed.has(span.id)) : null;
    const name = element(
      "span",
      { class: "name" },
      element("span", { class: span.children ? "twist" : "twist none", "aria-hidden": "true" }),
      element("span", { class: "dot" }),
      element("span", { class: "label", title: visible(span.name) }, visible(span.name)),
      span.failed ? element("span", { class: "badge error" }, visible(span.error)) : null,
    );
    name.style.setProperty("--depth", Math.min(span.depth, 12));
    const row = element(
      "div",
      { role: "treeitem", class: `span ${kind(span)}`, "data-span": span.id, "aria-level": span.depth + 1, "aria-expanded": isOpen },
      name,
      this.bar(span),
      element("span", { class: "time" }, duration(span.duration)),
    );
    return row;
  }

  bar(span) {
    const bar = element("span", { class: "stretch" });
    bar.style.setProperty("--from", share(span.start - this.start, this.length));
    bar.style.setProperty("--size", share(span.duration, this.length));
    const first = span.first_chunk === null ? 0 : Math.round(span.first_chunk * 1e6);
    if (first > 0 && first <= span.duration) {
      bar.title = `first token after ${duration(first)}`;
      bar.append(element("i", { class: "waiting" }));
      bar.style.setProperty("--first", share(first, span.duration));
    }
    return element("span", { class: "track" }, bar);
  }

  click(event) {
    const row = event.target.closest("[data-span]");
    if (!row) return;
    if (event.target.closest(".twist:not(.none)")) this.fold(row.dataset.span);
    else this.select(row.dataset.span, true);
    this.focus();
  }

  fold(id, closed = !this.closed.has(id)) {
    if (closed) this.closed.add(id);
    else this.closed.delete(id);
    this.draw();
  }

  key(event, leave) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const spans = this.shown();
    const index = spans.findIndex((span) => span.id === this.selected);
    const span = spans[index];
    const moves = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: spans.length - 1 };
    if (event.key in moves) {
      this.go(spans[moves[event.key]]);
    } else if (event.key === "ArrowRight" && span?.children) {
      if (this.closed.has(span.id)) this.fold(span.id, false);
      else this.go(spans[index + 1]);
    } else if (event.key === "ArrowLeft" && span) {
      if (span.children && !this.closed.has(span.id)) this.fold(span.id, true);
      else this.go(spans.slice(0, index).findLast((one) => one.depth < span.depth));
    } else if (event.key === "Enter") {
      leave();
    } else {
      return;
    }
    event.preventDefault();
  }

  go(span) {
    if (!span) return;
    this.select(span.id, false);
    this.focus();
  }
}

function kind(span) {
  const found = KINDS[span.operation] ?? (span.operation || span.provider ? "model" : "plain");
  return span.failed ? `${found} failed` : found;
}

const share = (part, whole) => `${Math.min(Math.max((100 * part) / whole, 0), 100).toFixed(3)}%`;
