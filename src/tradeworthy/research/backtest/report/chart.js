/* Charts share one view (a span of time) and one hover line. Each draws bands, candles, lines, own quotes and fills. */
const full = [S.start / 1e6, Math.max(S.end / 1e6, S.start / 1e6 + 1)];
const tip = $("tip"), charts = [];
let view = full.slice(), pending = false, gutter = 44;
const WIDTHS = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000].map(s => 1000 * s);
const FONT = "11.5px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/* The index of the last time at or before x, -1 before the first. */
function find(t, x) {
  let a = 0, b = t.length;
  while (a < b) { const m = (a + b) >> 1; if (t[m] <= x) a = m + 1; else b = m; }
  return a - 1;
}

function show(next) {
  const least = Math.min(1000, full[1] - full[0]);
  let [a, b] = next;
  if (b - a < least) { const mid = (a + b) / 2; a = mid - least / 2; b = mid + least / 2; }
  const span = Math.min(b - a, full[1] - full[0]);
  a = Math.max(full[0], Math.min(a, full[1] - span));
  view = [a, a + span];
  $("reset").hidden = view[0] <= full[0] && view[1] >= full[1];
  $("range").textContent = stamp(view[0]) + " – " + stamp(view[1]) + " UTC";
  redraw();
}

function redraw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; charts.forEach(draw); });
}

function chart(into, spec) {
  const canvas = h("canvas", {
    role: "img", tabindex: "0", "aria-label": spec.title + ". " + (spec.note || ""), style: { height: spec.height + "px" },
  });
  const keys = (spec.lines || []).filter(l => l.name && l.legend !== false)
    .map(l => h("span", { class: "key" }, h("i", { class: l.dash ? "dash" : "", style: { "--tint": `var(--${l.tint})` } }), l.name));
  for (const label of new Set((spec.bands || []).map(b => b[1]))) {
    const [name, tint] = regime(label);
    keys.push(h("span", { class: "key band" }, h("i", { style: { "--tint": `var(--${tint})` } }), name));
  }
  if (spec.fills && spec.fills.length) keys.push(h("span", { class: "key" }, h("b", { class: "up" }, "▲"), "buy"), h("span", { class: "key" }, h("b", { class: "down" }, "▼"), "sell"));
  if (spec.quotes && spec.quotes.length) keys.push(h("span", { class: "key" }, h("i", { style: { "--tint": "var(--green)" } }), "own bid"), h("span", { class: "key" }, h("i", { style: { "--tint": "var(--red)" } }), "own ask"));
  into.append(h("figure", { class: "card chart" },
    h("figcaption", {}, h("h2", {}, spec.title, h("small", {}, spec.note || "")), h("div", { class: "keys" }, keys)), canvas));
  const c = { canvas, lines: [], ...spec, hover: null, drag: null };
  charts.push(c);
  const at = e => e.clientX - canvas.getBoundingClientRect().left;
  canvas.onpointerdown = e => { if (e.pointerType !== "touch") { c.drag = at(e); canvas.setPointerCapture(e.pointerId); } point(c, e); };
  canvas.onpointermove = e => point(c, e);
  canvas.onpointerup = e => {
    const from = c.drag, to = at(e);
    c.drag = null;
    if (from !== null && Math.abs(to - from) > 6) show([time(c, Math.min(from, to)), time(c, Math.max(from, to))]);
    else redraw();
  };
  canvas.onpointerleave = () => { tip.hidden = true; charts.forEach(o => { o.hover = null; }); redraw(); };
  canvas.ondblclick = () => show(full);
  canvas.onkeydown = e => {
    const span = view[1] - view[0], step = { ArrowLeft: -.2, ArrowRight: .2 }[e.key];
    if (step) show([view[0] + step * span, view[1] + step * span]);
    else if (e.key === "+" || e.key === "=") show([view[0] + span / 4, view[1] - span / 4]);
    else if (e.key === "-") show([view[0] - span / 2, view[1] + span / 2]);
    else if (e.key === "Escape") show(full);
    else return;
    e.preventDefault();
  };
}

const width = c => c.canvas.clientWidth;
const left = () => gutter;
const time = (c, x) => view[0] + Math.min(1, Math.max(0, (x - left()) / (width(c) - left() - 12))) * (view[1] - view[0]);

function point(c, e) {
  const t = time(c, e.clientX - c.canvas.getBoundingClientRect().left);
  charts.forEach(o => { o.hover = t; });
  redraw();
  const rows = [[stamp(t) + " UTC", "", "head"]];
  const candle = c.candles && candlesOf(c).find(k => k.t <= t && t < k.t + k.width);
  if (candle) rows.push(["open", short(candle.o)], ["high", short(candle.h)], ["low", short(candle.l)], ["close", short(candle.c)]);
  for (const l of c.lines) { const i = find(l.data.t, t); if (i >= 0) rows.push([l.name, l.show(l.data.v[i])]); }
  if (c.bands) { const i = find(c.bands.map(b => b[0]), t); if (i >= 0) rows.push(["regime", regime(c.bands[i][1])[0]]); }
  const gap = 7 * (view[1] - view[0]) / width(c), near = (c.fills || []).filter(f => Math.abs(f[0] - t) < gap);
  for (const f of near.slice(0, 5)) {
    rows.push([(f[1] > 0 ? "▲ buy " : "▼ sell ") + sig(f[3]) + " @ " + short(f[2]), f[4] + ", fee " + f[6] + (Number(f[7]) ? ", realised " + f[7] : ""), f[1] > 0 ? "up" : "down"]);
  }
  if (near.length > 5) rows.push(["and " + (near.length - 5) + " more fills", ""]);
  tip.replaceChildren(...rows.map(([a, b, cls]) => h("div", { class: cls }, h("span", {}, a), h("b", {}, b))));
  tip.hidden = false;
  const w = tip.offsetWidth, x = e.clientX + w + 24 > innerWidth ? Math.max(6, e.clientX - w - 14) : e.clientX + 16;
  tip.style.setProperty("left", x + "px");
  tip.style.setProperty("top", Math.max(6, Math.min(e.clientY + 14, innerHeight - tip.offsetHeight - 6)) + "px");
}

/* Buckets become candles of a width that leaves each some pixels; cached by view and size. */
function candlesOf(c) {
  const key = view.join() + width(c);
  if (c.cache && c.cache.key === key) return c.cache.found;
  const { t, o, h: high, l: low, c: close } = c.candles, room = Math.max(20, (width(c) - left()) / 7);
  const size = WIDTHS.find(w => (view[1] - view[0]) / w <= room) || WIDTHS[WIDTHS.length - 1];
  const found = [];
  for (let i = Math.max(0, find(t, view[0])); i < t.length && t[i] <= view[1]; i++) {
    const start = Math.floor(t[i] / size) * size, last = found[found.length - 1];
    if (last && last.t === start) {
      last.h = Math.max(last.h, high[i]); last.l = Math.min(last.l, low[i]); last.c = close[i];
    } else found.push({ t: start, width: size, o: last ? last.c : o[i], h: Math.max(high[i], last ? last.c : high[i]), l: Math.min(low[i], last ? last.c : low[i]), c: close[i] });
  }
  c.cache = { key, found };
  return found;
}

function nice(span, n) {
  const raw = span / n, p = 10 ** Math.floor(Math.log10(raw));
  return p * [1, 2, 2.5, 5, 10].find(m => m * p >= raw * .999);
}

function reach(c) {
  let lo = Infinity, hi = -Infinity;
  const see = (a, b) => { lo = Math.min(lo, a); hi = Math.max(hi, b); };
  for (const { data } of c.lines) {
    const to = find(data.t, view[1]);
    for (let i = Math.max(0, find(data.t, view[0])); i <= to; i++) see((data.lo || data.v)[i], (data.hi || data.v)[i]);
  }
  if (c.candles) for (const k of candlesOf(c)) see(k.l, k.h);
  if (c.zero) see(0, 0);
  if (lo === Infinity) return [0, 1];
  if (hi === lo) { const pad = Math.abs(hi) * .001 || 1; return [lo - pad, hi + pad]; }
  const pad = (hi - lo) * .08;
  return [lo - pad, c.top ? hi : hi + pad];
}

function axes(g, c, w, hgt, X, Y, lo, hi, L, B) {
  g.font = FONT; g.lineWidth = 1; g.textBaseline = "middle"; g.textAlign = "right";
  const step = nice(hi - lo, hgt / 46), odd = /^25/.test(String(step).replace(/[0.]/g, ""));
  const digits = Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9) + (odd ? 1 : 0)));
  for (let v = Math.ceil(lo / step) * step; v <= hi + step * 1e-6; v += step) {
    const y = Math.round(Y(v)) + .5;
    g.strokeStyle = color(c.zero && Math.abs(v) < step / 1e6 ? "soft" : "line");
    g.globalAlpha = c.zero && Math.abs(v) < step / 1e6 ? .6 : 1;
    g.beginPath(); g.moveTo(L, y); g.lineTo(w - 12, y); g.stroke();
    g.globalAlpha = 1; g.fillStyle = color("soft");
    const text = num(Math.abs(v) < step / 1e6 ? 0 : v, digits), wide = Math.ceil(g.measureText(text).width) + 10;
    if (wide > gutter) { gutter = wide; redraw(); } /* all charts keep one left edge, as wide as the widest number */
    g.fillText(text, L - 8, y);
  }
  const span = view[1] - view[0], n = Math.max(2, Math.floor((w - L) / 104));
  const every = WIDTHS.find(x => span / x <= n) || WIDTHS[WIDTHS.length - 1];
  g.textAlign = "center";
  for (let t = Math.ceil(view[0] / every) * every; t <= view[1]; t += every) {
    const s = stamp(t), x = X(t), text = every >= 864e5 ? s.slice(0, 10) : s.endsWith("00:00:00") ? s.slice(5, 10) : every >= 6e4 ? s.slice(11, 16) : s.slice(11);
    const half = g.measureText(text).width / 2;
    g.strokeStyle = color("line"); g.beginPath(); g.moveTo(Math.round(x) + .5, hgt - B + 2); g.lineTo(Math.round(x) + .5, hgt - B + 6); g.stroke();
    if (x - half > L - 8 && x + half < w - 2) g.fillText(text, x, hgt - B / 2 + 4);
  }
}

function draw(c) {
  const w = width(c), hgt = c.height, r = devicePixelRatio || 1, g = c.canvas.getContext("2d"), L = left(), B = 24, TOP = 6;
  if (!w) return;
  c.canvas.width = w * r; c.canvas.height = hgt * r; g.scale(r, r);
  const [lo, hi] = reach(c), [a, b] = view;
  const X = t => L + (t - a) / (b - a) * (w - L - 12), Y = v => TOP + (hi - v) / (hi - lo) * (hgt - TOP - B);
  axes(g, c, w, hgt, X, Y, lo, hi, L, B);
  g.save(); g.beginPath(); g.rect(L, 0, w - L - 12, hgt - B + 2); g.clip();
  if (c.bands) bands(g, c, X, hgt - B, b);
  const working = (c.quotes || []).filter(q => q[1] >= a && q[0] <= b);
  g.globalAlpha = Math.max(.08, Math.min(.5, 160 / (working.length || 1)));
  for (const [from, to, side, price] of working) {
    g.strokeStyle = color(side > 0 ? "green" : "red"); g.lineWidth = 1;
    g.beginPath(); g.moveTo(X(from), Y(price)); g.lineTo(Math.max(X(to), X(from) + 1), Y(price)); g.stroke();
  }
  g.globalAlpha = 1;
  if (c.candles) candles(g, c, X, Y);
  for (const one of c.lines) line(g, one, X, Y, a, b, lo, hi, w);
  if (c.fills) markers(g, c, X, Y, a, b, w);
  if (c.hover !== null) {
    const x = X(c.hover);
    g.strokeStyle = color("soft"); g.setLineDash([3, 3]); g.beginPath(); g.moveTo(x, 0); g.lineTo(x, hgt); g.stroke(); g.setLineDash([]);
    if (c.drag !== null) { g.globalAlpha = .14; g.fillStyle = color("blue"); g.fillRect(Math.min(c.drag, x), 0, Math.abs(x - c.drag), hgt); g.globalAlpha = 1; }
  }
  g.restore();
}

function bands(g, c, X, bottom, end) {
  const seen = find(c.bands.map(k => k[0]), end) - find(c.bands.map(k => k[0]), view[0]), faint = Math.min(1, 40 / (seen || 1));
  c.bands.forEach(([from, label], i) => {
    const to = i + 1 < c.bands.length ? c.bands[i + 1][0] : full[1];
    if (to < view[0] || from > end) return;
    const x = X(from), width = Math.max(X(to) - x, .7);
    g.fillStyle = color(regime(label)[1]);
    g.globalAlpha = regime(label)[1] === "soft" ? .03 : .1 * Math.max(.35, faint); g.fillRect(x, 0, width, bottom);
    g.globalAlpha = .75; g.fillRect(x, bottom - 4, width, 4);
  });
  g.globalAlpha = 1;
}

function candles(g, c, X, Y) {
  for (const k of candlesOf(c)) {
    const x0 = X(k.t), x1 = X(k.t + k.width), mid = (x0 + x1) / 2, body = Math.max(1, Math.min(11, (x1 - x0) * .68));
    const rises = k.c >= k.o, top = Y(Math.max(k.o, k.c)), tall = Math.max(1, Y(Math.min(k.o, k.c)) - top);
    g.fillStyle = g.strokeStyle = color(rises ? "rise" : "fall"); g.lineWidth = 1;
    g.beginPath(); g.moveTo(mid, Y(k.h)); g.lineTo(mid, Y(k.l)); g.stroke();
    g.fillRect(mid - body / 2, top, body, tall);
  }
}

function line(g, { data, tint, area, steps, dash }, X, Y, a, b, lo, hi, w) {
  const from = Math.max(0, find(data.t, a)), to = Math.min(data.t.length - 1, find(data.t, b) + 1);
  if (to < from) return;
  const path = new Path2D();
  let y = Y(data.v[from]);
  path.moveTo(X(data.t[from]), y);
  for (let i = from + 1; i <= to; i++) { const x = X(data.t[i]); if (steps) path.lineTo(x, y); y = Y(data.v[i]); path.lineTo(x, y); }
  const end = steps ? Math.max(X(data.t[to]), Math.min(X(full[1]), w)) : X(data.t[to]);
  if (steps) path.lineTo(end, y);
  if (area) {
    const fill = new Path2D(path), base = Y(Math.min(hi, Math.max(lo, area === "zero" ? 0 : lo)));
    fill.lineTo(end, base); fill.lineTo(X(data.t[from]), base);
    g.globalAlpha = .13; g.fillStyle = color(tint); g.fill(fill); g.globalAlpha = 1;
  }
  g.strokeStyle = color(tint); g.lineWidth = 1.6; g.lineJoin = "round";
  if (dash) g.setLineDash([6, 4]);
  g.stroke(path); g.setLineDash([]);
}

function markers(g, c, X, Y, a, b, w) {
  const seen = c.fills.filter(f => f[0] >= a && f[0] <= b), dense = seen.length > w / 5, s = dense ? 2.4 : 4.5;
  g.lineWidth = 1; g.strokeStyle = color("card");
  g.globalAlpha = dense ? .55 : 1;
  for (const [t, side, price] of seen) {
    const x = X(t), y = Y(price) + side * s * .8;
    g.fillStyle = color(side > 0 ? "green" : "red");
    g.beginPath(); g.moveTo(x, y); g.lineTo(x - s, y + side * s * 1.8); g.lineTo(x + s, y + side * s * 1.8); g.closePath(); g.fill();
    if (!dense) g.stroke();
  }
  g.globalAlpha = 1;
}
