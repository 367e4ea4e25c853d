// Texts of the page. All content comes into the document as text: nothing here, nor in the other files, parses HTML.

// Controls would be invisible, and marks of direction would reorder what stands around them: both are shown by their code.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

export function visible(text) {
  return String(text)
    .replace(/\r\n?/g, "\n")
    .replace(UNSEEN, (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"));
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const WHOLE = new Intl.NumberFormat("en");

export const count = (number) => WHOLE.format(number);

export function compact(number) {
  if (number < 10000) return WHOLE.format(number);
  return number < 1e6 ? `${(number / 1e3).toFixed(1)}k` : `${(number / 1e6).toFixed(1)}M`;
}

// Of microseconds.
export function duration(micros) {
  if (micros < 1000) return `${micros} µs`;
  if (micros < 1e6) return `${(micros / 1000).toFixed(micros < 10000 ? 1 : 0)} ms`;
  if (micros < 60e6) return `${(micros / 1e6).toFixed(2)} s`;
  const seconds = Math.round(micros / 1e6);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function cost(dollars) {
  if (dollars === 0) return "$0";
  if (dollars < 0.00001) return "<$0.00001";
  return dollars < 0.01 ? `$${dollars.toFixed(5)}` : `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`;
}

export const clock = (micros) => new Date(micros / 1000).toLocaleTimeString("en-GB");

export function day(micros) {
  const date = new Date(micros / 1000);
  if (date.toDateString() === new Date().toDateString()) return "";
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

export function tokens(input, output) {
  if (input === null && output === null) return "";
  if (output === null) return compact(input); // of embeddings
  return `${input === null ? "" : compact(input)} → ${compact(output)}`;
}

export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

// A long text begins, and is whole on request: a page with megabytes of text is slow.
const LONGEST = 3000;

export function long(text, attributes = {}, name = "div") {
  const whole = visible(text);
  const shown = element(name, attributes);
  if (whole.length <= LONGEST * 1.2) {
    shown.textContent = whole;
    return shown;
  }
  shown.textContent = whole.slice(0, LONGEST) + "…";
  const button = element("button", { type: "button", class: "whole" }, `Show all ${count(whole.length)} characters`);
  button.addEventListener("click", () => {
    shown.textContent = whole;
    button.remove();
  });
  return element("div", {}, shown, button);
}
