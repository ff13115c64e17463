"use strict";
const D = JSON.parse(document.getElementById("data").textContent), S = D.summary;
const $ = id => document.getElementById(id), tip = $("tip");
const esc = x => String(x).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const num = (x, d = 2) => Number(x).toLocaleString("en", { minimumFractionDigits: d, maximumFractionDigits: d });
const money = x => (x > 0 ? "+" : x < 0 ? "−" : "") + num(Math.abs(x));
const sig = x => x === 0 ? "0" : Math.abs(x) >= 1000 ? num(x, 0) : String(Number(Number(x).toPrecision(4)));
const pct = (x, d = 2) => num(100 * x, d) + " %";
const tone = x => x > 0 ? "up" : x < 0 ? "down" : "";
const fig = (f, show = sig) => f.value === null ? `<span class="none" title="${esc(f.reason)}">–</span>` : show(f.value);
const color = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const stamp = t => new Date(t).toISOString().replace("T", " ").slice(0, 19);

const P = S.performance, A = S.activity, net = Number(S.profit.net);
const tile = (name, value, note, cls = "") => `<div class="tile"><span>${name}</span><b class="${cls}">${value}</b><small>${note}</small></div>`;
$("tiles").innerHTML = [
  tile("Net P&amp;L, " + esc(S.currency), money(net), pct(P.total_return, 3) + " of capital", tone(net)),
  tile("Deepest drawdown", pct(P.drawdown, 3), num(P.drawdown_length_s / 3600, 1) + " h below a peak at longest"),
  tile("Sharpe, yearly", fig(P.sharpe, x => num(x)), P.sharpe.value === null ? esc(P.sharpe.reason) : "± " + fig(P.sharpe_error, x => num(x)) + (P.sharpe_gates ? "" : ", never gates")),
  tile("Fills", num(A.fills, 0), fig(A.fill_rate, x => pct(x, 1)) + " of " + num(A.orders, 0) + " orders"),
  tile("Capture a fill", fig(A.capture_bps, x => num(x) + " bp"), "maker share " + fig(A.maker_share, x => pct(x, 0))),
  tile("Edge", S.edge.verdict, S.edge.net ? num(S.edge.net.bps) + " bp net, n = " + num(S.edge.n, 0) : "no fill judged", { positive: "up", negative: "down" }[S.edge.verdict] || "warn"),
].join("");

const full = [S.start / 1e6, Math.max(S.end / 1e6, S.start / 1e6 + 1)];
let view = full.slice();
const charts = [], L = 66, R = 14, B = 24, TOP = 6;
const find = (t, x) => { let a = 0, b = t.length; while (a < b) { const m = (a + b) >> 1; t[m] <= x ? a = m + 1 : b = m; } return a - 1; };
function chart(title, note, height, lines, extra = {}) {
  const card = document.createElement("div"), canvas = document.createElement("canvas");
  card.className = "card chart";
  card.innerHTML = `<h2>${esc(title)}<small>${esc(note)}</small></h2>`;
  canvas.style.height = height + "px"; canvas.setAttribute("aria-label", title);
  card.append(canvas); $("charts").append(card);
  const c = { canvas, height, lines, extra, hover: null, drag: null };
  charts.push(c);
  const x = e => e.clientX - canvas.getBoundingClientRect().left;
  canvas.onpointerdown = e => { c.drag = x(e); canvas.setPointerCapture(e.pointerId); };
  canvas.onpointermove = e => { const t = time(c, x(e)); charts.forEach(o => { o.hover = t; draw(o); }); label(c, e, t); };
  canvas.onpointerup = e => {
    const to = x(e), from = c.drag; c.drag = null;
    if (from !== null && Math.abs(to - from) > 6) { const next = [time(c, Math.min(from, to)), time(c, Math.max(from, to))]; if (next[1] > next[0]) view = next; }
    charts.forEach(draw);
  };
  canvas.onpointerleave = () => { tip.hidden = true; charts.forEach(o => { o.hover = null; draw(o); }); };
  canvas.ondblclick = () => { view = full.slice(); charts.forEach(draw); };
}
const width = c => c.canvas.clientWidth;
const time = (c, x) => view[0] + Math.min(1, Math.max(0, (x - L) / (width(c) - L - R))) * (view[1] - view[0]);
function label(c, e, t) {
  const rows = [stamp(t)];
  for (const l of c.lines) { const i = find(l.data.t, t); if (i >= 0) rows.push(l.name + "  " + l.show(l.data.v[i])); }
  const gap = 6 * (view[1] - view[0]) / width(c), near = (c.extra.fills || []).filter(f => Math.abs(f[0] - t) < gap).slice(0, 4);
  near.forEach(f => rows.push((f[1] > 0 ? "▲ buy " : "▼ sell ") + sig(f[3]) + " @ " + Number(f[2].toPrecision(9)) + " " + f[4]));
  tip.textContent = rows.join("\n"); tip.hidden = false;
  const w = tip.offsetWidth;
  tip.style.left = (e.clientX + w + 22 > innerWidth ? e.clientX - w - 12 : e.clientX + 14) + "px";
  tip.style.top = Math.min(e.clientY + 12, innerHeight - tip.offsetHeight - 6) + "px";
}
function nice(span, n) { const raw = span / n, p = 10 ** Math.floor(Math.log10(raw)); return p * [1, 2, 2.5, 5, 10].find(m => m * p >= raw * .999); }
function draw(c) {
  const w = width(c), h = c.height, r = devicePixelRatio || 1, g = c.canvas.getContext("2d");
  c.canvas.width = w * r; c.canvas.height = h * r; g.scale(r, r);
  const [a, b] = view; let lo = Infinity, hi = -Infinity;
  for (const { data } of c.lines) {
    const from = Math.max(0, find(data.t, a)), to = find(data.t, b);
    for (let i = from; i <= to; i++) { lo = Math.min(lo, (data.lo || data.v)[i]); hi = Math.max(hi, (data.hi || data.v)[i]); }
  }
  if (lo === Infinity) { lo = 0; hi = 1; }
  if (c.extra.zero) { lo = Math.min(lo, 0); hi = Math.max(hi, 0); }
  if (hi === lo) { const pad = Math.abs(hi) * .001 || 1; lo -= pad; hi += pad; }
  const pad = (hi - lo) * .07; if (!c.extra.top) hi += pad; lo -= pad;
  const X = t => L + (t - a) / (b - a) * (w - L - R), Y = v => TOP + (hi - v) / (hi - lo) * (h - TOP - B);
  g.font = "11.5px system-ui, 'DejaVu Sans', sans-serif"; g.lineWidth = 1; g.textBaseline = "middle";
  const step = nice(hi - lo, h / 48), digits = Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9) + (/^25/.test(String(step).replace(/[0.]/g, "")) ? 1 : 0)));
  for (let v = Math.ceil(lo / step) * step; v <= hi + step * 1e-6; v += step) {
    const y = Math.round(Y(v)) + .5; g.strokeStyle = color("line"); g.beginPath(); g.moveTo(L, y); g.lineTo(w - R, y); g.stroke();
    g.fillStyle = color("soft"); g.textAlign = "right"; g.fillText(num(Math.abs(v) < step / 1e6 ? 0 : v, digits), L - 8, y);
  }
  g.textAlign = "center"; const n = Math.max(2, Math.floor(w / 160)), span = b - a;
  for (let i = 0; i <= n; i++) {
    const t = a + span * i / n, s = stamp(t), text = span > 30 * 864e5 ? s.slice(0, 10) : span > 864e5 ? s.slice(5, 16) : s.slice(11, 19);
    g.textAlign = i === 0 ? "left" : i === n ? "right" : "center"; g.fillText(text, X(t), h - 8);
  }
  g.save(); g.beginPath(); g.rect(L, 0, w - L - R, h - B + 2); g.clip();
  for (const [from, to, side, price] of c.extra.quotes || []) {
    if (to < a || from > b) continue;
    g.strokeStyle = color(side > 0 ? "green" : "red"); g.globalAlpha = .35; const y = Y(price);
    g.beginPath(); g.moveTo(X(from), y); g.lineTo(Math.max(X(to), X(from) + 1), y); g.stroke();
  }
  g.globalAlpha = 1;
  for (const { data, tint, area, steps } of c.lines) {
    const from = Math.max(0, find(data.t, a)), to = Math.min(data.t.length - 1, find(data.t, b) + 1);
    if (to < from) continue;
    const path = new Path2D(); let y = Y(data.v[from]); path.moveTo(X(data.t[from]), y);
    for (let i = from + 1; i <= to; i++) { const x = X(data.t[i]); if (steps) path.lineTo(x, y); y = Y(data.v[i]); path.lineTo(x, y); }
    const end = Math.max(X(data.t[to]), Math.min(X(full[1]), w)); path.lineTo(end, y);
    if (area) { const fill = new Path2D(path), base = Y(Math.min(hi, Math.max(lo, area === "zero" ? 0 : lo))); fill.lineTo(end, base); fill.lineTo(X(data.t[from]), base); g.globalAlpha = .13; g.fillStyle = color(tint); g.fill(fill); g.globalAlpha = 1; }
    g.strokeStyle = color(tint); g.lineWidth = 1.5; g.lineJoin = "round"; g.stroke(path);
  }
  const fills = (c.extra.fills || []).filter(f => f[0] >= a && f[0] <= b), s = fills.length > w / 4 ? 1.8 : 4;
  for (const [t, side, price] of fills) {
    const x = X(t), y = Y(price) + side * s * .75; g.fillStyle = color(side > 0 ? "green" : "red");
    g.beginPath(); g.moveTo(x, y); g.lineTo(x - s, y + side * s * 1.75); g.lineTo(x + s, y + side * s * 1.75); g.fill();
  }
  if (c.hover !== null) {
    const x = X(c.hover); g.strokeStyle = color("soft"); g.setLineDash([3, 3]); g.beginPath(); g.moveTo(x, 0); g.lineTo(x, h); g.stroke(); g.setLineDash([]);
    if (c.drag !== null) { g.globalAlpha = .14; g.fillStyle = color("blue"); g.fillRect(Math.min(c.drag, x), 0, Math.abs(x - c.drag), h); g.globalAlpha = 1; }
  }
  g.restore();
}
chart("Equity", S.currency + ", marked at the mid, net of fees and funding", 230, [{ name: "equity", data: D.equity, tint: "blue", area: "low", show: x => num(x) }]);
chart("Drawdown", "percent below the highest equity so far", 130, [{ name: "drawdown", data: D.drawdown, tint: "red", area: "zero", show: x => num(x, 3) + " %" }], { zero: true, top: true });
for (const [name, I] of Object.entries(D.instruments)) {
  const drawn = I.fills.length < I.fill_count ? `, ${num(I.fills.length, 0)} drawn` : "";
  chart(name, `mid, own quotes (bid green, ask red), ▲ buys and ▼ sells: ${num(I.fill_count, 0)} fills${drawn}`, 300, [{ name: "price", data: I.price, tint: "blue", show: x => String(Number(x.toPrecision(9))) }], { quotes: I.quotes, fills: I.fills });
  chart("Inventory", `${I.base}, ${name}`, 130, [{ name: "inventory", data: I.inventory, tint: "amber", area: "zero", steps: true, show: x => sig(x) + " " + I.base }], { zero: true });
}

const sources = [["Captured spread", +S.profit.captured], ["Inventory move", +S.profit.inventory], ["Funding", +S.profit.funding], ["Fees", -S.profit.fees], ["Net", net]];
const most = Math.max(...sources.map(s => Math.abs(s[1]))) || 1;
$("sources").innerHTML = sources.map(([name, x]) => {
  const w = Math.abs(x) / most * 50;
  return `<div class="bar${name === "Net" ? " total" : ""}"><span>${name}</span><i><u style="left:${x < 0 ? 50 - w : 50}%;width:${w}%;background:var(--${x < 0 ? "red" : "green"})"></u></i><b class="${tone(x)}">${money(x)}</b></div>`;
}).join("");
const years = [...new Set(D.months.map(m => m[0]))], worst = Math.max(...D.months.map(m => Math.abs(m[2])), 1e-9);
$("months").innerHTML = `<table class="heat"><tr><th></th>${[..."JFMAMJJASOND"].map(m => `<th>${m}</th>`).join("")}</tr>` + years.map(y => `<tr><th>${y}</th>` + [...Array(12).keys()].map(i => {
  const m = D.months.find(m => m[0] === y && m[1] === i + 1); if (!m) return "<td></td>";
  return `<td title="${num(m[2], 4)} %" style="background:color-mix(in srgb,var(--${m[2] < 0 ? "red" : "green"}) ${Math.round(8 + 42 * Math.abs(m[2]) / worst)}%,transparent)">${num(m[2], Math.abs(m[2]) >= 10 ? 0 : 2)}</td>`;
}).join("") + "</tr>").join("") + "</table>";

const table = (title, head, rows, cls = "") => rows.length ? `<div class="card"><h2>${title}</h2><table class="${cls}"><tr>${head.map(h => `<th>${h}</th>`).join("")}</tr>${rows.map(r => `<tr>${r.map(x => `<td>${x}</td>`).join("")}</tr>`).join("")}</table></div>` : "";
const bp = x => x === null ? "–" : num(x, 3), range = i => i ? `${num(i.lower, 3)} … ${num(i.upper, 3)}` : "–", grade = ["OK", "WARN", "UNKNOWN", "FAIL"], gradeTone = ["up", "warn", "warn", "down"];
const marks = rows => rows.map(m => [(m.group === "all" ? "" : esc(m.group) + " · ") + m.horizon_s + " s", bp(m.adverse_bps), range(m.interval), bp(m.markout_bps), num(m.n, 0), num(m.open, 0)]);
const counts = o => Object.entries(o).map(([k, n]) => [`<code>${esc(k)}</code>`, num(n, 0)]);
$("tables").innerHTML = [
  table("Desk KPIs", ["", "observed", "limit", "verdict"], S.kpis.map(k => [esc(k.name), fig(k.observed), esc(k.limit), `<span class="${gradeTone[k.severity]}">${grade[k.severity]}</span>`])),
  table("Returns", ["", "value"], [["days", P.days], ["Sortino", fig(P.sortino)], ["tail ratio", fig(P.tail_ratio)], ["time with a position", fig(P.exposure_share, x => pct(x, 1))], ["probabilistic Sharpe", fig(P.probabilistic_sharpe)], [`deflated Sharpe, ${P.trials} trials`, fig(P.deflated_sharpe)], ["minimum track record, days", fig(P.track_record_min_days, x => num(x, 0))]]),
  table("Orders and fills", ["", "value"], [["orders", num(A.orders, 0)], ["cancels", num(A.cancels, 0)], ["orders with a fill", num(A.orders_filled, 0)], ["fills", num(A.fills, 0)], ["traded notional, " + esc(S.currency), num(A.notional)], ["turnover", fig(A.turnover)], ["profit factor", fig(A.profit_factor)], ["hit rate (95 %)", fig(A.hit_rate, x => pct(x, 1)) + (A.hit_rate.value === null ? "" : ` <span class="none">${pct(A.hit_rate_lower.value, 1)} … ${pct(A.hit_rate_upper.value, 1)}</span>`)], ["mean hold", fig(A.hold_mean_s, x => num(x, 1) + " s")], ["longest hold", fig(A.hold_max_s, x => num(x, 1) + " s")], ["fees not known", num(A.fees_unknown, 0)]]),
  table("Edge, bp of a fill", ["", "mean", S.currency, "a day"], ["gross", "fees", "adverse", "net"].filter(k => S.edge[k]).map(k => [k, bp(S.edge[k].bps), num(S.edge[k].quote), num(S.edge[k].per_day)])),
  table("After the fill, bp", ["horizon", "adverse", "95 %", "markout", "n", "open"], marks(S.markouts)),
  table("After the fill by side, bp", ["horizon", "adverse", "95 %", "markout", "n", "open"], marks(S.markouts_by_side)),
  table("Fill factor", ["level", "factor", "95 %", "maker", "n"], S.fill_factors.map(f => [esc(f.level), bp(f.factor), range(f.interval), f.maker_share === null ? "–" : pct(f.maker_share, 0), num(f.n, 0)])),
  table("P&amp;L by instance", ["", S.currency], Object.entries(S.profit.by_instance).map(([k, v]) => [esc(k), `<span class="${tone(+v)}">${money(+v)}</span>`])),
  table("Refusals", ["code", "count"], counts(A.refusals)), table("Abstentions", ["code", "changes"], counts(A.abstentions)),
  table("Guard", ["time", "reason", "level"], D.guard.slice(0, 50).map(g => [stamp(g[0]), (g[3] ? "set " : "cleared ") + esc(g[1]), esc(g[4])])),
  table("Tapes", ["", "origin", "SHA-256"], S.tapes.map(t => [esc(t.name), esc(t.origin), `<code>${esc(t.sha256.slice(0, 16))}</code>`])),
  S.assumptions.length + S.caveats.length ? `<div class="card"><h2>Assumptions and caveats</h2><ul>${[...S.assumptions, ...S.caveats].map(x => `<li>${esc(x)}</li>`).join("")}</ul></div>` : "",
].join("");
$("foot").textContent = `Run ${S.run_id} · ${num(S.events, 0)} events · ${stamp(S.start / 1e6)} to ${stamp(S.end / 1e6)}`;
const all = () => charts.forEach(draw);
addEventListener("resize", all); matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all); all();
