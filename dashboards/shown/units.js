// Values as Grafana writes them, as far as the boards need it.
const significant = (value, decimals) => {
  if (decimals !== undefined && decimals !== null) return value.toFixed(decimals);
  const size = Math.abs(value);
  if (size === 0) return "0";
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : Math.min(2 - Math.floor(Math.log10(size)), 8));
};
const scaled = (value, decimals, steps) => {
  const [size, word] = steps.find(([size]) => Math.abs(value) >= size) ?? steps.at(-1);
  return significant(value / size, decimals) + word;
};
const THOUSANDS = [[1e9, " Bil"], [1e6, " Mil"], [1e3, " K"], [0, ""]].map(([size, word]) => [size || 1, word]);
const SI = (unit) => [[1e9, " G"], [1e6, " M"], [1e3, " k"], [1, " "]].map(([size, word]) => [size, word + unit]);
const UNITS = {
  short: (value, decimals) => scaled(value, decimals, THOUSANDS),
  none: significant,
  locale: (value, decimals) => value.toLocaleString("en-US", { maximumFractionDigits: decimals ?? 2 }),
  percent: (value, decimals) => `${significant(value, decimals)}%`,
  percentunit: (value, decimals) => `${significant(value * 100, decimals ?? (value === 0 ? 0 : value * 100 >= 10 ? 1 : 2))}%`,
  s: (value, decimals) => scaled(value, decimals, [[86400, " day"], [3600, " hour"], [60, " min"], [1, " s"], [1e-3, " ms"], [1e-6, " µs"]]),
  reqps: (value, decimals) => scaled(value, decimals, [[1e3, "K req/s"], [1, " req/s"]]),
  cps: (value, decimals) => scaled(value, decimals, [[1e3, "K c/s"], [1, " c/s"]]),
  currencyUSD: (value, decimals) => `$${scaled(value, decimals ?? (Math.abs(value) >= 0.1 ? 2 : undefined), [[1e6, "M"], [1e3, "K"], [1, ""]])}`,
  joule: (value, decimals) => scaled(value, decimals, SI("J")),
  watt: (value, decimals) => scaled(value, decimals, SI("W")),
  watth: (value, decimals) => scaled(value, decimals, SI("Wh")),
  celsius: (value, decimals) => `${significant(value, decimals)} °C`,
};
// On an axis, without zeros behind the point.
const tickText = (value, unit, decimals) => shown(value, unit, decimals).replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
function shown(value, unit, decimals) {
  if (value === null || value === undefined || Number.isNaN(value)) return "No traffic";
  if (unit.startsWith("si:")) return scaled(value, decimals, SI(unit.slice(3)));
  if (!UNITS[unit]) throw new Error(`the page does not know the unit ${unit}`);
  return UNITS[unit](value, decimals);
}
