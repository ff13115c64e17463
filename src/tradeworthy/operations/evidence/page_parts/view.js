/* What the page shows. Every word of a bundle is set as text, never as markup. */
const put = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value); else node.setAttribute(name, value);
  node.append(...children.filter((one) => one !== null && one !== undefined && one !== ""));
  return node;
};
const COLOURS = { green: ["pass", "proved"], red: ["fail", "wrong"], grey: ["none", "not shown"] };
const badge = (word, kind) => put("span", { class: `badge ${kind}` }, word);
const statusBadge = (status) => badge(String(status || "unknown").toUpperCase(), status === "unknown" ? "warn" : String(status));
const table = (head, rows) => put("div", { class: "scroll" }, put("table", {},
  head.some(Boolean) ? put("thead", {}, put("tr", {}, ...head.map((one) => put("th", {}, one)))) : "",
  put("tbody", {}, ...rows.map((row) => put("tr", {}, ...row.map((one) =>
    one instanceof Node ? put("td", {}, one) : typeof one === "number" ? put("td", { class: "n" }, one.toLocaleString("en")) : put("td", {}, String(one ?? "–"))))))));
const section = (title, ...children) => put("section", {}, put("h2", {}, title), ...children);
const size = (bytes) => bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
const span = (seconds) => { if (seconds === null || seconds === undefined) return "–"; if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]; let left = Math.round(seconds); const out = [];
  for (const [unit, name] of parts) { const n = Math.floor(left / unit); left -= n * unit; if (n) out.push(`${n} ${name}`); } return out.slice(0, 2).join(" "); };
const when = (text) => text ? String(text).slice(0, 19).replace("T", " ") + " UTC" : "–";
const percent = (ratio) => ratio === null || ratio === undefined ? "unknown" : `${(ratio * 100).toFixed(2)} %`;

const CLAIMS = [
  ["The manifest is whole and canonical", /^manifest\.|^claim\.|^run\./],
  ["Every file that is listed is here, unchanged", /^object\.|^file\.|^chunk\./],
  ["The entries lie in one Merkle tree, each with its proof", /^merkle\.|^proof\./],
  ["Nothing that this class of run needs is missing", /^kind\.|^environment\./],
  ["The evidence is not out of date", /^entry\./],
  ["The signatures hold, each by a key that may sign", /^signature\.|^statement\.|^role\.|^key\.|^signer\./, true],
  ["Enough different people and machines signed", /^quorum\.|^account\./, true],
  ["Waivers are valid and cover what was relaxed", /^waiver\.(?!active)|^relaxation\./, true],
  ["The outside witness's minutes chain and are signed", /^witness\./, true],
  ["The evidence log holds this bundle", /^log\./, true],
  ["The keys are those you trust", /^trust\./],
];
function claimOf(result, [title, codes, needsTrust]) {
  const hits = result.findings.filter((one) => codes.test(one.code));
  const red = hits.filter((one) => one.severity === "fail"), grey = hits.filter((one) => one.severity === "unknown");
  const judged = result.manifest !== null, trust = result.findings.some((one) => one.code === "trust.absent" || one.code === "trust.malformed");
  let colour = red.length ? "red" : grey.length ? "grey" : "green", told = (red.length ? red : grey).map((one) => `${one.where}: ${one.message}`);
  if (!red.length && !judged && !codes.test("manifest.x")) [colour, told] = ["grey", ["not judged: there is no manifest to go by"]];
  else if (!red.length && needsTrust && trust) [colour, told] = ["grey", ["not judged: no usable keys"]];
  else if (!red.length && codes.test("log.x") && !PAGE.files.has("log.json")) [colour, told] = ["grey", ["no proof of the log is in this bundle"]];
  else if (!red.length && judged && codes.test("witness.x") && !result.manifest.entries.some((one) => one.kind === "witness"))
    [colour, told] = ["grey", ["no witness watched this run"]];
  return { title, colour, told };
}
const VERDICTS = {
  verified: ["pass", "Verified", "Every check passed with the keys that you pinned."],
  verified_with_waivers: ["warn", "Verified, with waivers", "Every check passed with the keys that you pinned; valid waivers cover what was relaxed."],
  consistent: ["none", "Consistent", "Nothing contradicts anything, but these keys are the bundle's own word. Pin the fingerprint of a trust file you hold, or drop that file below."],
  invalid: ["fail", "Does not verify", "At least one check failed. Do not rely on this bundle."],
};

let PAGE = { files: new Map(), omitted: [] };
const asked = { trust: null, trust_sha256: null, at: null };
function readPage() { PAGE = blockOf(document.getElementById("bundle").textContent); }
function objectText(manifest, path) {
  const entry = manifest.entries.find((one) => one.path === path), data = entry && PAGE.files.get(OBJECTS + entry.sha256);
  if (!data) return null;
  try { return JSON.parse(text(data)); } catch { return null; }
}
async function render() {
  const main = document.getElementById("main");
  let result;
  try {
    readPage();
    const ask = { ...asked, at: asked.at || stampOf(Date.now()), omitted: PAGE.omitted };
    result = await verifyBundle(PAGE.files, { ...ask, template_sha256: null, in_page: true });
  } catch (problem) {
    main.replaceChildren(verdictCard("invalid", "The data of this page cannot be read.", null));
    return;
  }
  const { manifest } = result, reads = manifest ? objectText(manifest, "summary.json") : null;
  document.title = `${VERDICTS[result.verdict][1]}: ${manifest ? manifest.run_id : "evidence bundle"}`;
  main.replaceChildren(...[
    put("h1", {}, manifest ? `Final dry run ${manifest.run_id}` : "Evidence bundle"),
    verdictCard(result.verdict, null, manifest, result.findings), firstThings(result), reads && runSection(reads), reads && signOffSection(reads),
    claimsSection(result), manifest && signaturesSection(result), manifest && entriesSection(result), dropSection(result),
  ].filter(Boolean));
  document.getElementById("foot").replaceChildren(
    put("p", {}, "A page cannot vouch for its own script. ", put("code", {}, "python -I verify_bundle.py bundle.html --key trust.json"),
      " checks this file, its template included, without it."),
    put("p", { class: "mono" }, `bundle ${result.bundle_id || "–"}`, put("br"), `root ${manifest ? manifest.tree.root : "–"}`, put("br"),
      `keys ${result.trust_sha256 || "–"}`, put("br"), `judged for ${asked.at || stampOf(Date.now())}`));
}
function verdictCard(verdict, message, manifest, findings = []) {
  const [kind, title, told] = VERDICTS[verdict], red = findings.filter((one) => one.severity === "fail");
  return put("div", { class: `verdict ${kind}`, id: "verdict", "data-verdict": verdict, role: "status" },
    put("div", {}, put("strong", {}, title), put("p", {}, message || told), red.length ? put("ul", {}, ...red.slice(0, 6).map((one) =>
      put("li", {}, put("code", {}, one.code), ` ${one.where}: ${one.message}`)), red.length > 6 ? put("li", {}, `and ${red.length - 6} more`) : "") : ""),
    manifest ? put("div", { class: "badges" }, badge(`run ${manifest.status.toUpperCase()}`, manifest.status === "unknown" ? "warn" : manifest.status),
      badge(manifest.run_class, manifest.run_class === "release" ? "pass" : "warn"), badge(manifest.environment, "none")) : "");
}
function firstThings(result) {
  const { manifest } = result;
  if (!manifest) return null;
  const rows = [
    ...result.findings.filter((one) => one.code === "waiver.active").map((one) => [badge("waiver", "warn"), one.message]),
    ...manifest.relaxations.map((one) => [badge("relaxed", "warn"), `${one.code}${one.waiver_id ? `, waiver ${one.waiver_id}` : ", without waiver"}`]),
    ...(manifest.run_class === "rehearsal" ? [[badge("rehearsal", "warn"), "This run proves nothing to the live gate, whatever its status."]] : []),
    ...(manifest.run_class === "assessment" ? [[badge("assessment", "none"), "A look at a desk: what was judged of which facts by which limits. A gate reads the snapshots, never this bundle."]] : []),
    ...(manifest.lacking.length && manifest.run_class !== "assessment" ? [[badge("lacking", "none"), `A release would also hold: ${manifest.lacking.join(", ").replaceAll("_", " ")}.`]] : []),
  ];
  return rows.length ? section("Read this first", table(["", ""], rows)) : null;
}
function runSection(summary) {
  const body = summary.summary, meta = body.metadata, logs = body.logs || {}, open = summary.incidents.filter((one) => !one.planned);
  const tiles = [["run time", span(meta.actual_duration_seconds)], ["asked for", span(meta.target_duration_seconds)], ["uptime", percent(logs.uptime_ratio)],
    ["lines", (meta.log_total_lines || 0).toLocaleString("en")], ["incidents", String(open.length)],
    ["diary entries", body.diary ? body.diary.total_entries.toLocaleString("en") : "none"],
    ["trades", body.performance && body.performance.total_trades !== null ? String(body.performance.total_trades) : "–"],
    ["exit code", meta.exit_code === null ? "–" : String(meta.exit_code)]];
  const start = Date.parse(meta.started_at), end = Date.parse(meta.ended_at), strip = put("div", { class: "strip", title: "window of the run" });
  const place = (from, to, kind, title) => {
    const left = 100 * (Date.parse(from) - start) / (end - start), width = 100 * (Date.parse(to) - Date.parse(from)) / (end - start);
    if (!Number.isFinite(left)) return;
    const mark = put("i", { class: kind, title });
    mark.style.left = `${Math.max(0, Math.min(99.8, left))}%`; if (width > 0) mark.style.width = `${Math.min(100, width)}%`;
    strip.append(mark);
  };
  for (const gap of logs.gap_incidents || []) place(gap.started_at, gap.ended_at, gap.severity === "fail" ? "fail" : "warn", `silence of ${span(gap.seconds)}`);
  for (const one of open) place(one.occurred_at, one.occurred_at, "mark", `${one.code}: ${one.message}`);
  return section("What the run showed", put("div", { class: "tiles" }, ...tiles.map(([name, value]) => put("div", { class: "tile" }, put("b", {}, value), put("span", {}, name)))),
    put("p", { class: "notice" }, `${when(meta.started_at)} to ${when(meta.ended_at)} · command `, put("code", {}, (meta.command || []).join(" "))), strip,
    put("div", { class: "axis" }, put("span", {}, "start"), put("span", {}, `${(logs.gap_incidents || []).length} silences, ${open.length} incidents`), put("span", {}, "stop")),
    open.length ? table(["", "incident", "what", "times"], open.slice(0, 40).map((one) => [statusBadge(one.severity), one.code, one.message, one.count])) : "");
}
function signOffSection(summary) {
  const parts = [["logs", summary.summary.logs], ["diary", summary.summary.diary], ["performance", summary.summary.performance]];
  const rows = parts.map(([name, part]) => [part ? statusBadge(part.status) : badge("none", "none"), name, part ? part.error || "" : "not asked for"]);
  const signed = summary.sign_off;
  if (signed) rows.push([statusBadge(signed.status), "sign-off", signed.findings.length === 1 ? "1 finding" : `${signed.findings.length} findings`]);
  for (const one of signed ? signed.findings : []) rows.push([statusBadge(one.severity), put("code", {}, one.code), one.message]);
  return section("What was judged", table(["", "part", ""], rows));
}
function claimsSection(result) {
  const claims = CLAIMS.map((one) => claimOf(result, one));
  return section("What this page checked", put("ul", { class: "claims", id: "claims" }, ...claims.map(({ title, colour, told }) =>
    put("li", { "data-colour": colour }, badge(...COLOURS[colour].toReversed()), put("div", {}, title, ...told.slice(0, 12).map((one) => put("small", {}, one)))))));
}
function signaturesSection(result) {
  const rows = result.signatures.map((one) => [badge(one.ok ? "holds" : "does not", one.ok ? "pass" : "fail"), one.role.replaceAll("_", " "), one.holder, when(one.signed_at)]);
  return section("Who signed", rows.length ? table(["", "role", "holder", "when"], rows) : put("p", { class: "notice" }, "Nobody yet."));
}
function entriesSection(result) {
  const bad = new Map(result.findings.filter((one) => /^object\.|^chunk\.|^entry\.|^proof\./.test(one.code)).map((one) => [one.where, one]));
  const rows = result.manifest.entries.map((one) => {
    const hit = bad.get(one.path), colour = !hit ? "green" : hit.severity === "fail" ? "red" : "grey";
    return [badge(...COLOURS[colour].toReversed()), one.path, one.kind, put("span", { class: "mono size" }, size(one.bytes)), put("span", { class: "size" }, `${one.provenance}, ${one.environment}`), put("span", { class: "size" }, one.expires_at.slice(0, 10)), put("code", {}, one.sha256.slice(0, 16))];
  });
  const shown = put("details", {}, put("summary", {}, `${rows.length} files, ${size(result.manifest.entries.reduce((sum, one) => sum + one.bytes, 0))}`),
    table(["", "file", "kind", "size", "provenance", "good until", "SHA-256"], rows));
  if (rows.length < 60) shown.setAttribute("open", "");
  return section("What is in it", shown);
}
function dropSection(result) {
  const answer = put("div", { class: "answer", id: "answer", role: "status" });
  const take = async (list) => { for (const file of list) answer.replaceChildren(...await checkFile(new Uint8Array(await file.arrayBuffer()), file.name, result)); };
  const drop = put("div", { class: "drop", ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); }, ondragleave: () => drop.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files); } },
    put("p", {}, "Drop a file here: a chunk of a log, a whole log, any file of the bundle, or your trust file."),
    put("input", { type: "file", multiple: "", "aria-label": "choose files", onchange: (event) => take(event.target.files) }));
  const pin = put("input", { type: "text", id: "pin", spellcheck: "false", autocomplete: "off", maxlength: "64", placeholder: "64 hex digits", value: asked.trust_sha256 || "",
    onchange: (event) => { const value = event.target.value.trim().toLowerCase(); asked.trust_sha256 = PATTERNS.hex.test(value) ? value : null; asked.trust = null; render(); } });
  return section("Check for yourself", put("label", { for: "pin" }, "Fingerprint of the trust file that you hold"), pin, put("p", { class: "notice" }, "Without it this page can only say that the bundle is consistent."), drop, answer);
}
/* Say what a dropped file is: green when the bundle vouches for it, red when it contradicts, else nothing it knows. */
async function checkFile(bytes, name, result) {
  const say = (colour, ...told) => [put("p", { "data-colour": colour }, badge(...COLOURS[colour].toReversed()), " ", `${name}: `, ...told)];
  try {
    parseCanonical(bytes, "trust");
    Object.assign(asked, { trust: bytes, trust_sha256: null });
    await render();
    return say("green", "taken as your trust file");
  } catch (problem) { if (!(problem instanceof Malformed)) throw problem; }
  const digest = await sha256Hex(bytes), entry = result.manifest && result.manifest.entries.find((one) => one.sha256 === digest);
  if (entry) return say("green", `is ${entry.path}, as collected`);
  for (const index of result.chunks) {
    const at = index.leaves.indexOf(digest);
    if (at >= 0) return say("green", `is chunk ${at + 1} of ${index.leaves.length} of ${index.path}, as collected`);
  }
  return say("red", `is no file and no chunk of this bundle (SHA-256 ${digest.slice(0, 16)}…)`);
}
if (document.getElementById("bundle")) {
  const hash = new URLSearchParams(location.hash.slice(1));
  if (PATTERNS.hex.test(hash.get("trust") || "")) asked.trust_sha256 = hash.get("trust");
  if (PATTERNS.time.test(hash.get("at") || "")) asked.at = hash.get("at");
  render();
}
