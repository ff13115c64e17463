/* What stands on the page, from top to bottom. */
const net = Number(S.profit.net), cur = S.currency, O = D.overlay;
$("span").textContent = S.instruments.join(", ") + " · " + stamp(S.start / 1e6).slice(0, 16) + " to " + stamp(S.end / 1e6).slice(0, 16) + " UTC · capital " + num(S.capital, 0) + " " + cur;

const tile = (name, value, note, cls = "") => h("div", { class: "tile" }, h("span", {}, name), h("b", { class: cls }, value), h("small", {}, note));
$("tiles").append(
  tile("Net P&L, " + cur, money(net), signed(100 * P.total_return, 3) + " % of capital", tone(net)),
  tile("Deepest drawdown", pct(P.drawdown, 3), duration(P.drawdown_length_s) + " below a peak at longest"),
  tile("Sharpe, yearly", fig(P.sharpe, x => num(x)), P.sharpe.value === null ? P.sharpe.reason : "± " + said(P.sharpe_error, x => num(x)) + (P.sharpe_gates ? "" : " · too short to gate")),
  tile("Fills", whole(A.fills), said(A.fill_rate, x => pct(x, 1)) + " of " + whole(A.orders) + " orders"),
  tile("Execution cost, " + cur, money(-S.costs.all.total), said(A.capture_bps, x => signed(x) + " bp captured a fill"), tone(-S.costs.all.total)),
  tile("Edge", S.edge.verdict, S.edge.net ? signed(S.edge.net.bps) + " bp net, n = " + whole(S.edge.n) : "no fill judged", { positive: "up", negative: "down" }[S.edge.verdict] || "warn"),
);

const row = (cells, cls) => h("tr", { class: cls }, cells.map((x, i) => i ? h("td", {}, x) : h("th", { scope: "row" }, x)));
const grid = (head, rows, cls = "") => h("div", { class: "scroll" }, h("table", { class: cls },
  h("thead", {}, h("tr", {}, head.map(x => h("th", { scope: "col" }, x)))), h("tbody", {}, rows)));
const card = (title, note, ...kids) => h("div", { class: "card" }, h("h2", {}, title, h("small", {}, note)), kids);
function table(title, head, rows, note = "", cls = "") {
  if (rows.length) $("tables").append(card(title, note, grid(head, rows.map(r => row(r)), cls)));
}
const plain = x => h("span", { class: tone(x) }, money(x));

if (O) {
  const of = (name, mine, other, show, better = 1) => {
    const both = mine !== null && other !== null, gap = both ? mine - other : null;
    return row([name, mine === null ? "–" : show(mine), other === null ? "–" : show(other),
      gap === null ? "–" : h("span", { class: tone(better * gap) }, sign(gap) + show(Math.abs(gap)))]);
  };
  const o = O.performance;
  $("compare").append(card("Against " + O.name, "run " + O.run.slice(0, 12) + " · dashed in the charts, rebased to this run's capital", grid(["", "this run", O.name, "difference"], [
    of("net P&L, " + cur, net, Number(O.profit.net), x => sign(x) === "−" ? money(x) : num(x)),
    of("return, %", 100 * P.total_return, 100 * o.total_return, x => num(x, 3)),
    of("deepest drawdown, %", 100 * P.drawdown, 100 * o.drawdown, x => num(x, 3), -1),
    of("Sharpe, yearly", P.sharpe.value, o.sharpe.value, x => num(x)),
    of("fills", A.fills, O.activity.fills, whole, 0),
    of("capture a fill, bp", A.capture_bps.value, O.activity.capture_bps.value, x => num(x)),
    of("execution cost, " + cur, Number(S.costs.all.total), Number(O.costs.all.total), x => num(x), -1),
    of("net edge, bp", S.edge.net && S.edge.net.bps, O.edge.net && O.edge.net.bps, x => num(x, 3)),
  ])));
}

const draws = $("charts"), amount = x => num(x) + " " + cur;
chart(draws, {
  title: "Equity", note: cur + ", marked at the mid, net of fees and funding", height: 250,
  lines: [{ name: O ? "this run" : "equity", data: D.equity, tint: "blue", area: "low", show: amount, legend: !!O },
    ...(O ? [{ name: O.name, data: O.equity, tint: "violet", dash: true, show: amount }] : [])],
});
chart(draws, {
  title: "Drawdown", note: "percent below the highest equity so far", height: 130, zero: true, top: true,
  lines: [{ name: O ? "this run" : "drawdown", data: D.drawdown, tint: "red", area: "zero", show: x => num(x, 3) + " %", legend: !!O },
    ...(O ? [{ name: O.name, data: O.drawdown, tint: "violet", dash: true, show: x => num(x, 3) + " %" }] : [])],
});
chart(draws, {
  title: "P&L by source", note: cur + ", added up; the four lines sum to equity less capital", height: 190, zero: true,
  lines: [["captured", "captured spread", "green"], ["inventory", "inventory move", "blue"], ["fees", "fees", "red"], ["funding", "funding", "amber"]]
    .map(([key, name, tint]) => ({ name, data: D.sources[key], tint, show: amount })),
});
for (const [name, I] of Object.entries(D.instruments)) {
  const drawn = I.fills.length < I.fill_count ? `, ${whole(I.fills.length)} of them drawn` : "";
  const labelled = Object.entries(D.states).filter(([, s]) => s.instrument === name && s.bands.some(b => b[1] !== null));
  const bands = labelled.length ? labelled[0][1].bands : null;
  chart(draws, {
    title: name, note: `price in ${I.quote}; ${whole(I.fill_count)} fills${drawn}` + (bands ? `; regime as ${labelled[0][0]} holds it` : ""),
    height: 330, candles: I.candles, quotes: I.quotes, fills: I.fills, bands,
  });
  for (const [who, s] of Object.entries(D.states)) {
    if (s.instrument !== name || !s.spread.t.length) continue;
    chart(draws, {
      title: "Spread, floor and edge", note: `basis points, ${who}: what it quoted, the least that pays, and what it expected to keep`, height: 180, zero: true, bands: s.bands,
      lines: [["spread", "blue"], ["floor", "amber"], ["edge", "green"]].map(([key, tint]) => ({ name: key, data: s[key], tint, show: x => num(x) + " bp" })),
    });
  }
  chart(draws, {
    title: "Inventory", note: `${I.base}, ${name}`, height: 130, zero: true,
    lines: [{ name: "inventory", legend: false, data: I.inventory, tint: "amber", area: "zero", steps: true, show: x => sig(x) + " " + I.base }],
  });
}

function bars(rows) {
  const most = Math.max(...rows.map(r => Math.abs(r[1]))) || 1;
  return rows.map(([name, x, total]) => {
    const w = Math.abs(x) / most * 50;
    const fill = h("u", { style: { left: (x < 0 ? 50 - w : 50) + "%", width: w + "%", background: `var(--${x < 0 ? "red" : "green"})` } });
    return h("div", { class: "row" + (total ? " total" : "") }, h("span", {}, name), h("i", {}, fill), h("b", { class: tone(x) }, money(x)));
  });
}
const C = S.costs.all;
$("blocks").append(
  card("P&L by source", cur, bars([["Captured spread", +S.profit.captured], ["Inventory move", +S.profit.inventory], ["Funding", +S.profit.funding], ["Fees", -S.profit.fees], ["Net", net, true]])),
  card("Execution cost", cur + " against the mid at each fill" + (S.costs.unpriced ? `; ${whole(S.costs.unpriced)} fills had no price to compare` : ""),
    bars([["Spread", -C.spread], ["Slippage", -C.slippage], ["Fees", -C.fees], ["Sum", -C.total, true]]),
    grid(["", "spread", "slippage", "fees", "sum", "fills"], [["resting", S.costs.maker], ["taking", S.costs.taker]].map(([n, p]) => row([n, money(-p.spread), money(-p.slippage), money(-p.fees), money(-p.total), whole(p.fills)])))),
);

const years = [...new Set(D.months.map(m => m[0]))], worst = Math.max(...D.months.map(m => Math.abs(m[2])), 1e-9);
const cell = (x, note) => h("td", {
  title: note + ": " + num(x, 4) + " %",
  style: { background: `color-mix(in srgb, var(--${x < 0 ? "red" : "green"}) ${Math.round(8 + 46 * Math.min(1, Math.abs(x) / worst))}%, transparent)` },
}, num(x, Math.abs(x) >= 10 ? 0 : 2));
$("blocks").append(card("Returns by month", "percent of the month's first equity", grid(["", ..."JFMAMJJASOND", "Year"], years.map(y => h("tr", {},
  h("th", { scope: "row" }, String(y)),
  [...Array(12).keys()].map(i => { const m = D.months.find(m => m[0] === y && m[1] === i + 1); return m ? cell(m[2], `${y}-${String(i + 1).padStart(2, "0")}`) : h("td", {}); }),
  cell(100 * (D.months.filter(m => m[0] === y).reduce((p, m) => p * (1 + m[2] / 100), 1) - 1), String(y)))), "heat")));
$("blocks").append(card("Days", whole(S.days.length) + " UTC days, the last first", grid(["", "P&L", "return", "equity", "fills", "fees"],
  S.days.slice(-366).reverse().map(d => row([d.day, plain(+d.pnl), signed(100 * d.change, 3) + " %", num(d.equity), whole(d.fills), num(d.fees)])), "days")));

const bp = x => x === null ? "–" : num(x, 3), range = i => i ? `${num(i.lower, 3)} … ${num(i.upper, 3)}` : "–";
const grade = ["OK", "WARN", "UNKNOWN", "FAIL"], gradeTone = ["up", "warn", "warn", "down"];
const code = x => h("code", {}, x), counts = o => Object.entries(o).map(([k, n]) => [code(k), whole(n)]);
const marks = rows => rows.map(m => [(m.group === "all" ? "" : m.group + " · ") + m.horizon_s + " s", bp(m.adverse_bps), range(m.interval), bp(m.markout_bps), whole(m.n), whole(m.open)]);
const MARKS = ["horizon", "adverse", "95 %", "markout", "n", "open"];
table("Regimes", ["", "share of time", "P&L", "fills", "notional", "fees", "capture, bp"], S.regimes.map(r => [r.instance + " · " + regime(r.regime)[0], fig(r.share, x => pct(x, 1)), plain(+r.pnl), whole(r.fills), num(r.notional, 0), num(r.fees), fig(r.capture_bps, x => num(x))]));
table("Desk KPIs", ["", "observed", "limit", "verdict"], S.kpis.map(k => [k.name, fig(k.observed), k.limit, h("span", { class: gradeTone[k.severity] }, grade[k.severity])]));
table("Returns", ["", "value"], [["days", whole(P.days)], ["Sortino", fig(P.sortino)], ["tail ratio", fig(P.tail_ratio)], ["time with a position", fig(P.exposure_share, x => pct(x, 1))], ["probabilistic Sharpe", fig(P.probabilistic_sharpe)], [`deflated Sharpe, ${P.trials} trials`, fig(P.deflated_sharpe)], ["minimum track record, days", fig(P.track_record_min_days, whole)]]);
table("Orders and fills", ["", "value"], [["orders", whole(A.orders)], ["cancels", whole(A.cancels)], ["orders with a fill", whole(A.orders_filled)], ["fills", whole(A.fills)], ["maker share", fig(A.maker_share, x => pct(x, 1))], ["traded notional, " + cur, num(A.notional)], ["turnover", fig(A.turnover)], ["profit factor", fig(A.profit_factor)], ["hit rate (95 %)", A.hit_rate.value === null ? fig(A.hit_rate) : `${pct(A.hit_rate.value, 1)} (${pct(A.hit_rate_lower.value, 1)} … ${pct(A.hit_rate_upper.value, 1)})`], ["mean hold", fig(A.hold_mean_s, duration)], ["longest hold", fig(A.hold_max_s, duration)], ["fees not known", whole(A.fees_unknown)]]);
table("Edge", ["basis points of a fill", "mean", cur, "a day"], ["gross", "fees", "adverse", "net"].filter(k => S.edge[k]).map(k => [k, bp(S.edge[k].bps), num(S.edge[k].quote), num(S.edge[k].per_day)]), S.edge.interval ? "95 % of the net: " + range(S.edge.interval) : "");
table("After the fill", MARKS, marks(S.markouts), "basis points; adverse above zero is against us");
table("After the fill, by side", MARKS, marks(S.markouts_by_side));
if (S.markouts_by_regime.some(m => m.group !== "unlabelled")) table("After the fill, by regime", MARKS, marks(S.markouts_by_regime.map(m => ({ ...m, group: regime(m.group)[0] }))));
table("Fill factor", ["level", "factor", "95 %", "maker", "n"], S.fill_factors.map(f => [f.level, bp(f.factor), range(f.interval), f.maker_share === null ? "–" : pct(f.maker_share, 0), whole(f.n)]), "part of the quoted spread that fills keep");
table("P&L by instance", ["", cur], Object.entries(S.profit.by_instance).map(([k, v]) => [k, plain(+v)]));
table("Refusals", ["code", "count"], counts(A.refusals));
table("Abstentions", ["code", "changes"], counts(A.abstentions));
table("Guard", ["time", "reason", "level"], D.guard.slice(0, 50).map(g => [stamp(g[0]), (g[3] ? "set " : "cleared ") + g[1], g[4]]));
table("Tapes", ["", "origin", "SHA-256"], S.tapes.map(t => [t.name, t.origin, code(t.sha256.slice(0, 16))]));
const list = (title, lines) => lines.length ? $("tables").append(card(title, "", h("ul", {}, lines.map(x => h("li", {}, x))))) : null;
list("Assumptions", S.assumptions);
list("Caveats", S.caveats);
$("foot").textContent = `Run ${S.run_id} · ${whole(S.events)} events · drag across a chart or press + to zoom, double-click or Escape for the whole run`;
$("reset").onclick = () => show(full);
addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
show(full);
