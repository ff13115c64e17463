"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const S = D.summary, P = S.performance, A = S.activity;
const $ = id => document.getElementById(id);

/* A node: attributes, `style` as an object (set by script, as the page's policy allows no inline styles), children. */
function h(tag, props = {}, ...kids) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "style") for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
    else node.setAttribute(name, value);
  }
  node.append(...kids.flat(3).filter(kid => kid !== null && kid !== undefined));
  return node;
}

const num = (x, d = 2) => Number(x).toLocaleString("en", { minimumFractionDigits: d, maximumFractionDigits: d });
const whole = x => num(x, 0);
const sign = x => x > 0 ? "+" : x < 0 ? "−" : "";
const money = x => sign(x) + num(Math.abs(x));
const signed = (x, d = 2) => sign(x) + num(Math.abs(x), d);
const sig = x => x === 0 ? "0" : Math.abs(x) >= 1000 ? num(x, 0) : String(Number(Number(x).toPrecision(4)));
const pct = (x, d = 2) => num(100 * x, d) + " %";
const tone = x => x > 0 ? "up" : x < 0 ? "down" : "";
const short = x => String(Number(Number(x).toPrecision(9)));
const stamp = t => new Date(t).toISOString().replace("T", " ").slice(0, 19);
const color = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

/* A figure is a number or the reason why there is none. */
const fig = (f, show = sig) => f.value === null ? h("span", { class: "none", title: f.reason }, "–") : show(f.value);
const said = (f, show) => f.value === null ? f.reason : show(f.value);

const REGIMES = {
  neutral_low_vol: ["neutral", "soft"], up: ["up", "green"], down: ["down", "red"],
  high_vol_shock: ["shock", "amber"], unknown: ["unknown", "line"],
};
const regime = label => REGIMES[label] || [label === null ? "no label" : label, "line"];

function duration(seconds) {
  if (seconds >= 172800) return num(seconds / 86400, 1) + " days";
  if (seconds >= 7200) return num(seconds / 3600, 1) + " h";
  return seconds >= 120 ? num(seconds / 60, 1) + " min" : num(seconds, 1) + " s";
}
