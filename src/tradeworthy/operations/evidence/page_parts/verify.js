"use strict";
/* The verifier of this page. It mirrors the standalone verifier finding by finding; the tables come from the same place. */
const C = __CONSTANTS__;
const OBJECTS = "objects/", SIGNATURES = "signatures/";
const PATH = /^[A-Za-z0-9][A-Za-z0-9_.-]*(\/[A-Za-z0-9][A-Za-z0-9_.-]*)*$/;
const SIGNATURE_NAME = /^signatures\/[a-z_]+-[0-9a-f]{16}\.dsse\.json$/;
const PATTERNS = { hex: /^[0-9a-f]{64}$/, id: /^[a-z0-9][a-z0-9_.-]{0,63}$/,
  time: /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/ };
class Malformed extends Error {}

/* ---- bytes ---- */
const utf8 = new TextEncoder();
const hexOf = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const concat = (...parts) => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { out.set(part, at); at += part.length; }
  return out;
};
const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
function fromBase64(text) {
  let binary;
  try { binary = atob(text); } catch { throw new Malformed("expected base64"); }
  const bytes = Uint8Array.from(binary, (one) => one.charCodeAt(0));
  if (toBase64(bytes) !== text) throw new Malformed("expected canonical base64");
  return bytes;
}

/* ---- SHA-2: the browser's, or this script where the browser offers none ---- */
const native = { digest: !!(globalThis.crypto && crypto.subtle), ed25519: !!(globalThis.crypto && crypto.subtle) };
const ROUNDS = (() => {
  const root = (n, k) => { let low = 0n, high = n; while (low < high) { const mid = (low + high + 1n) >> 1n;
    if (mid ** k <= n) low = mid; else high = mid - 1n; } return low; };
  const primes = [];
  for (let n = 2n; primes.length < 80; n += 1n) if (primes.every((p) => n % p !== 0n)) primes.push(n);
  const mask = (1n << 64n) - 1n;
  return { k: primes.map((p) => root(p << 192n, 3n) & mask), h: primes.slice(0, 8).map((p) => root(p << 128n, 2n) & mask) };
})();
function sha2(bytes, wide) {
  const word = wide ? 64n : 32n, mask = (1n << word) - 1n, block = wide ? 128 : 64, shift = wide ? 0n : 32n;
  const [a0, a1, b0, b1] = wide ? [[28, 34, 39], [14, 18, 41], [1, 8, 7], [19, 61, 6]]
    : [[2, 13, 22], [6, 11, 25], [7, 18, 3], [17, 19, 10]];
  const rot = (x, n) => ((x >> BigInt(n)) | (x << (word - BigInt(n)))) & mask;
  const big = (x, r) => rot(x, r[0]) ^ rot(x, r[1]) ^ rot(x, r[2]);
  const small = (x, r) => rot(x, r[0]) ^ rot(x, r[1]) ^ (x >> BigInt(r[2]));
  const rounds = wide ? 80 : 64, step = wide ? 8 : 4;
  const padded = new Uint8Array(Math.ceil((bytes.length + 1 + step * 2) / block) * block);
  padded.set(bytes); padded[bytes.length] = 0x80;
  for (let at = 0, left = BigInt(bytes.length) * 8n; left > 0n; at += 1, left >>= 8n)
    padded[padded.length - 1 - at] = Number(left & 255n);
  let state = ROUNDS.h.map((x) => x >> shift);
  for (let start = 0; start < padded.length; start += block) {
    const w = [];
    for (let t = 0; t < rounds; t += 1) {
      if (t < 16) { let x = 0n; for (let i = 0; i < step; i += 1) x = (x << 8n) | BigInt(padded[start + t * step + i]); w.push(x); }
      else w.push((small(w[t - 2], b1) + w[t - 7] + small(w[t - 15], b0) + w[t - 16]) & mask);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < rounds; t += 1) {
      const one = (h + big(e, a1) + ((e & f) ^ (~e & mask & g)) + (ROUNDS.k[t] >> shift) + w[t]) & mask;
      const two = (big(a, a0) + ((a & b) ^ (a & c) ^ (b & c))) & mask;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) & mask, c, b, a, (one + two) & mask];
    }
    state = [a, b, c, d, e, f, g, h].map((x, i) => (x + state[i]) & mask);
  }
  return fromHex(state.map((x) => x.toString(16).padStart(step * 2, "0")).join(""));
}
async function sha256(bytes) {
  return native.digest ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) : sha2(bytes, false);
}
const sha256Hex = async (bytes) => hexOf(await sha256(bytes));

/* ---- Ed25519 after RFC 8032, 5.1.7, where the browser has none ---- */
const P = 2n ** 255n - 19n, Q = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (x) => ((x % P) + P) % P;
const power = (base, exponent) => { let out = 1n; base = mod(base);
  for (; exponent > 0n; exponent >>= 1n) { if (exponent & 1n) out = mod(out * base); base = mod(base * base); } return out; };
const D = mod(-121665n * power(121666n, P - 2n));
const little = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
function pointOf(bytes) {
  const y = little(bytes) & ((1n << 255n) - 1n), sign = little(bytes) >> 255n;
  if (y >= P) return null;
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square)) x = mod(x * power(2n, (P - 1n) / 4n));
  if (mod(x * x - square) || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}
function plus(a, b) {
  const l = mod((a[1] - a[0]) * (b[1] - b[0])), u = mod((a[1] + a[0]) * (b[1] + b[0]));
  const c = mod(2n * a[3] * b[3] * D), d = mod(2n * a[2] * b[2]), e = u - l, f = d - c, g = d + c, h = u + l;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}
function times(scalar, point) {
  let out = [0n, 1n, 1n, 0n];
  for (; scalar > 0n; scalar >>= 1n) { if (scalar & 1n) out = plus(out, point); point = plus(point, point); }
  return out;
}
function ed25519ByScript(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  const point = pointOf(key), commitment = pointOf(signature.subarray(0, 32)), scalar = little(signature.subarray(32));
  const four = mod(4n * power(5n, P - 2n));
  const base = pointOf(fromHex(four.toString(16).padStart(64, "0")).reverse());
  if (!point || !commitment || scalar >= Q) return false;
  const challenge = little(sha2(concat(signature.subarray(0, 32), key, message), true)) % Q;
  const left = times(scalar, base), right = plus(commitment, times(challenge, point));
  return mod(left[0] * right[2] - right[0] * left[2]) === 0n && mod(left[1] * right[2] - right[1] * left[2]) === 0n;
}
async function ed25519(key, message, signature) {
  if (native.ed25519) {
    try {
      const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
      return await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
    } catch (problem) { if (problem.name === "DataError") return false; native.ed25519 = false; }
  }
  return ed25519ByScript(key, message, signature);
}

/* ---- canonical documents ---- */
function canonicalText(value, depth = 0) {
  if (depth > C.depth_max) throw new Malformed("too deep");
  if (Array.isArray(value)) return `[${value.map((one) => canonicalText(one, depth + 1)).join(",")}]`;
  if (value !== null && typeof value === "object")
    return `{${Object.keys(value).sort().map((key) => `${canonicalText(key)}:${canonicalText(value[key], depth + 1)}`).join(",")}}`;
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Malformed("expected an integer");
  if (typeof value === "string" && /[^\x00-\x7e]/.test(value)) throw new Malformed("expected printable ASCII");
  return JSON.stringify(value);
}
function parseCanonical(bytes, shape) {
  if (bytes.length > C.document_bytes_max || bytes.some((byte) => byte > 0x7e)) throw new Malformed("expected ASCII");
  let value;
  try {
    const text = new TextDecoder().decode(bytes);
    value = JSON.parse(text);
    if (canonicalText(value) + "\n" !== text) throw new Malformed("expected the canonical form");
  } catch (problem) { throw problem instanceof Malformed ? problem : new Malformed("expected canonical JSON"); }
  requireShape(value, C.shapes[shape]);
  return value;
}
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
function requireShape(value, shape) {
  if (typeof shape === "string" && shape.startsWith("?")) { if (value === null) return; shape = shape.slice(1); }
  if (typeof shape === "string" && Object.hasOwn(C.shapes, shape)) shape = C.shapes[shape];
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) throw new Malformed("expected a list");
    for (const one of value) requireShape(one, shape[0]);
  } else if (isObject(shape)) {
    const names = Object.keys(shape);
    if (!isObject(value) || Object.keys(value).length !== names.length || !names.every((name) => Object.hasOwn(value, name)))
      throw new Malformed("expected other keys");
    for (const name of names) requireShape(value[name], shape[name]);
  } else if (shape === "int") {
    if (!Number.isSafeInteger(value) || value < 0) throw new Malformed("expected an integer of at least 0");
  } else if (typeof value !== "string") throw new Malformed("expected text");
  else if (shape.startsWith("=")) { if (value !== shape.slice(1)) throw new Malformed("expected other text"); }
  else if (PATTERNS[shape] && !PATTERNS[shape].test(value)) throw new Malformed(`expected ${shape}`);
  else if (shape === "time") timeOf(value);
}
function timeOf(text) {
  const millis = Date.parse(text);
  if (text.startsWith("0000") || Number.isNaN(millis) || stampOf(millis) !== text) throw new Malformed("expected a time");
  return millis;
}
const stampOf = (millis) => new Date(millis).toISOString().slice(0, 19) + "Z";

/* ---- RFC 6962 ---- */
const leafOf = (digest) => sha256(concat(Uint8Array.of(0), fromHex(digest)));
const nodeOf = (left, right) => sha256(concat(Uint8Array.of(1), left, right));
async function rootOf(digests) {
  if (!digests.length) return sha256Hex(new Uint8Array());
  const stack = [];
  for (const digest of digests) {
    let size = 1, node = await leafOf(digest);
    while (stack.length && stack.at(-1)[0] === size) { node = await nodeOf(stack.pop()[1], node); size *= 2; }
    stack.push([size, node]);
  }
  let node = stack.pop()[1];
  while (stack.length) node = await nodeOf(stack.pop()[1], node);
  return hexOf(node);
}
const half = (n) => Math.floor(n / 2);
async function rootByInclusion(digest, index, size, path) {
  if (index >= size) return null;
  let at = index, last = size - 1, node = await leafOf(digest);
  for (const text of path) {
    if (last === 0) return null;
    if (at % 2 || at === last) {
      node = await nodeOf(fromHex(text), node);
      while (at % 2 === 0 && at) { at = half(at); last = half(last); }
    } else node = await nodeOf(node, fromHex(text));
    at = half(at); last = half(last);
  }
  return last === 0 ? hexOf(node) : null;
}
async function consistent(first, second, firstRoot, secondRoot, proof) {
  if (first === 0 || first > second) return first === 0 && !proof.length;
  if (first === second) return !proof.length && firstRoot === secondRoot;
  const path = proof.map(fromHex);
  if (Number.isInteger(Math.log2(first))) path.unshift(fromHex(firstRoot));
  if (!path.length) return false;
  let at = first - 1, last = second - 1;
  while (at % 2) { at = half(at); last = half(last); }
  let old = path[0], now = path[0];
  for (const other of path.slice(1)) {
    if (last === 0) return false;
    if (at % 2 || at === last) {
      old = await nodeOf(other, old); now = await nodeOf(other, now);
      while (at % 2 === 0 && at) { at = half(at); last = half(last); }
    } else now = await nodeOf(now, other);
    at = half(at); last = half(last);
  }
  return last === 0 && hexOf(old) === firstRoot && hexOf(now) === secondRoot;
}

/* ---- the bundle ---- */
const text = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
const rank = (environment) => C.environments.indexOf(environment);
/* files: Map of name to bytes. ask: {at, trust, trust_sha256, run_id, environment, log_head, template_sha256, omitted} */
async function verifyBundle(files, ask) {
  const judge = new Judge(files, ask);
  const whole = await judge.contents();
  if (whole) await judge.signers();
  const unique = new Map(judge.found.map((one) => [[one.code, one.where, one.message].join("\n"), one]));
  const findings = [...unique.keys()].sort().map((key) => unique.get(key));
  const fail = findings.some((one) => one.severity === "fail"), warn = findings.some((one) => one.severity === "warn");
  const trust = findings.some((one) => one.code.startsWith("trust."));
  const verdict = fail ? "invalid" : trust ? "consistent" : warn ? "verified_with_waivers" : "verified";
  return { verdict, findings, bundle_id: judge.bundleId, manifest: judge.manifest, signatures: judge.signatures,
    trust_sha256: judge.trustSha256, chunks: judge.indexes };
}
class Judge {
  constructor(files, ask) {
    Object.assign(this, { files, ask, found: [], manifest: null, bundleId: "", digests: new Map(), keys: new Map(),
      quorum: {}, signed: new Map(), signatures: [], trustSha256: null, indexes: [] });
    this.omitted = new Set(ask.omitted || []);
  }
  add(code, where, message, severity = "fail") { this.found.push({ severity, code, where, message }); }
  entries(kind) { return this.manifest.entries.filter((one) => one.kind === kind); }
  async object(entry) {
    const data = this.files.get(OBJECTS + entry.sha256);
    if (data && entry.bytes > C.document_bytes_max) {
      this.add("object.too_large", entry.path, `too large to be judged, ${entry.bytes} bytes`);
      return null;
    }
    return data && (await sha256Hex(data)) === entry.sha256 ? data : null;
  }
  async contents() {
    if (!(await this.readManifest())) return false;
    this.judgeEntries(); this.judgeKinds();
    await this.tree(); await this.objects(); await this.chunkIndexes(); await this.claims();
    return true;
  }
  async readManifest() {
    const data = this.files.get("manifest.json");
    if (!data) { this.add("manifest.missing", "manifest.json", "the bundle has no manifest"); return false; }
    this.bundleId = await sha256Hex(data);
    let manifest;
    try {
      manifest = parseCanonical(data, "manifest");
      const words = [[manifest.run_class, C.run_classes], [manifest.status, C.statuses], [manifest.environment, C.environments]];
      for (const one of manifest.entries)
        words.push([one.kind, C.kinds], [one.provenance, C.provenances], [one.environment, C.environments]);
      for (const [word, known] of words) if (!known.includes(word)) throw new Malformed(`unknown word ${word}`);
    } catch (problem) {
      if (!(problem instanceof Malformed)) throw problem;
      this.add("manifest.malformed", "manifest.json", problem.message); return false;
    }
    this.manifest = manifest;
    const { ask } = this;
    if (ask.run_id && manifest.run_id !== ask.run_id) this.add("run.other", "manifest.json", `expected run ${ask.run_id}`);
    if (ask.environment && rank(manifest.environment) < rank(ask.environment))
      this.add("environment.lower", "manifest.json", `expected ${ask.environment}, found ${manifest.environment}`);
    if (ask.template_sha256 && ask.template_sha256 !== manifest.page_template_sha256)
      this.add("page.template", "bundle.html", "the page is not the template that was signed");
    return true;
  }
  judgeEntries() {
    const { manifest, ask } = this, paths = manifest.entries.map((one) => one.path);
    if (paths.some((path, at) => at && !(paths[at - 1] < path)))
      this.add("manifest.order", "manifest.json", "expected entries in the order of their paths, each once");
    if (new Set(paths.map((path) => path.toLowerCase())).size !== paths.length)
      this.add("manifest.twin", "manifest.json", "two paths differ by case only, or not at all");
    for (const one of manifest.entries) {
      if (!PATH.test(one.path)) this.add("manifest.path", one.path, "expected a plain relative path");
      if (rank(one.environment) < rank(manifest.environment))
        this.add("environment.lower", one.path, `${one.environment} is not enough`);
      if (one.expires_at <= ask.at) this.add("entry.expired", one.path, `expired at ${one.expires_at}`);
      if (one.collected_at > ask.at) this.add("entry.future", one.path, `collected at ${one.collected_at}, in the future`);
    }
  }
  judgeKinds() {
    const { manifest } = this, present = new Set(manifest.entries.map((one) => one.kind));
    const relaxed = manifest.relaxations.map((one) => C.relaxed_kinds[one.code]);
    for (const kind of C.class_kinds[manifest.run_class].filter((one) => !relaxed.includes(one)))
      if (!present.has(kind)) this.add("kind.missing", kind, `class ${manifest.run_class} needs ${kind}`);
    const lacking = C.release_kinds.filter((kind) => !present.has(kind)).sort();
    if (canonicalText(lacking) !== canonicalText(manifest.lacking))
      this.add("kind.lacking", "manifest.json", "the kinds said to be lacking are not those that are");
  }
  async tree() {
    const { manifest } = this, entries = manifest.entries, digests = [];
    for (const one of entries) digests.push(await sha256Hex(utf8.encode(canonicalText(one) + "\n")));
    if (manifest.tree.size !== entries.length || manifest.tree.root !== (await rootOf(digests)))
      this.add("merkle.root", "manifest.json", "the entries do not have the root that is stated");
    const data = this.files.get("proofs.json");
    if (!data) { this.add("proof.missing", "proofs.json", "the bundle has no inclusion proofs"); return; }
    let proofs;
    try { proofs = parseCanonical(data, "proofs").proofs; } catch (problem) {
      if (!(problem instanceof Malformed)) throw problem;
      this.add("proof.malformed", "proofs.json", problem.message); return;
    }
    if (proofs.length !== entries.length) { this.add("proof.missing", "proofs.json", "expected another number of proofs"); return; }
    for (let at = 0; at < entries.length; at += 1) {
      const proof = proofs[at], root = await rootByInclusion(digests[at], proof.index, entries.length, proof.audit_path);
      if (proof.path !== entries[at].path || proof.index !== at || root !== manifest.tree.root)
        this.add("proof.invalid", proof.path, "the proof does not lead to the root");
    }
  }
  async chunkDigests(data) {
    const out = [];
    for (let at = 0; at < data.length; at += C.chunk_bytes) out.push(await sha256Hex(data.subarray(at, at + C.chunk_bytes)));
    return out;
  }
  async objects() {
    const known = new Set(["manifest.json", "proofs.json", "log.json", "verify_bundle.py"]);
    for (const one of this.manifest.entries) {
      const name = OBJECTS + one.sha256, data = this.files.get(name);
      known.add(name);
      if (data) {
        this.digests.set(one.path, await this.chunkDigests(data));
        if (data.length !== one.bytes || (await sha256Hex(data)) !== one.sha256)
          this.add("object.changed", one.path, "the bytes are not those that were collected");
      } else if (this.omitted.has(name) && one.bytes >= C.omitted_bytes_min)
        this.add("object.omitted", one.path, "too large for this page", "unknown");
      else this.add("object.missing", one.path, "listed and not there");
      if (one.path === "verify_bundle.py") {
        const copy = this.files.get("verify_bundle.py");
        if (copy) { if ((await sha256Hex(copy)) !== one.sha256) this.add("file.changed", one.path, "not the verifier that was collected"); }
        else if (!this.ask.template_sha256 && !this.ask.in_page) this.add("file.missing", one.path, "the bundle has no verifier");
      }
    }
    for (const name of this.files.keys())
      if (!known.has(name) && !SIGNATURE_NAME.test(name)) this.add("file.unlisted", name, "there and not listed");
  }
  async chunkIndexes() {
    const entries = new Map(this.manifest.entries.map((one) => [one.path, one]));
    for (const one of this.entries("chunks")) {
      const data = await this.object(one);
      if (!data) continue;
      let index;
      try { index = parseCanonical(data, "chunks"); } catch (problem) {
        if (!(problem instanceof Malformed)) throw problem;
        this.add("chunk.malformed", one.path, problem.message); continue;
      }
      const of = entries.get(index.path), count = Math.ceil(index.bytes / C.chunk_bytes), found = this.digests.get(index.path);
      if (!of || of.bytes !== index.bytes || index.chunk_bytes !== C.chunk_bytes || index.leaves.length !== count
        || index.root !== (await rootOf(index.leaves)))
        this.add("chunk.index", one.path, "the index is not one of a listed file");
      else {
        this.indexes.push(index);
        if (found && canonicalText(found) !== canonicalText(index.leaves))
          this.add("chunk.changed", index.path, "a chunk is not the one that was collected");
      }
    }
  }
  async claims() {
    for (const one of this.entries("summary")) {
      const data = one.path.endsWith(".json") ? await this.object(one) : null;
      if (!data) continue;
      let told;
      try {
        const summary = JSON.parse(text(data));
        if (!isObject(summary)) throw new Malformed("no summary");
        told = {};
        for (const name of ["run_id", "run_class", "status"]) {
          if (!Object.hasOwn(summary, name)) throw new Malformed("no summary");
          told[name] = summary[name];
        }
        told.relaxations = summary.relaxations.map((relaxation) => {
          if (!Object.hasOwn(relaxation, "code")) throw new Malformed("no summary");
          return relaxation.code;
        });
      } catch { this.add("claim.summary", one.path, "the summary cannot be read"); continue; }
      const { run_id, run_class, status } = this.manifest;
      const said = { run_id, run_class, status, relaxations: this.manifest.relaxations.map((relaxation) => relaxation.code) };
      for (const name of Object.keys(said))
        if (JSON.stringify(told[name]) !== JSON.stringify(said[name]))
          this.add(`claim.${name}`, one.path, `the summary says ${told[name]}, not ${said[name]}`);
    }
  }

  /* who signed */
  async signers() {
    if (!(await this.readTrust())) return;
    for (const name of [...this.files.keys()].sort()) if (name.startsWith(SIGNATURES)) await this.bundleSignature(name);
    this.enough();
    await this.waivers();
    await this.log();
    for (const entry of this.entries("witness")) {
      const data = await this.object(entry);
      if (data) await this.witness(data, entry.path);
    }
  }
  async readTrust() {
    let data = this.ask.trust || null;
    if (!data) {
      const own = this.entries("trust");
      data = own.length ? await this.object(own[0]) : null;
      if (!data) { this.add("trust.absent", "trust.json", "no trust file was given and the bundle has none", "unknown"); return false; }
      if (!this.ask.trust_sha256) this.add("trust.unpinned", "trust.json", "the keys are the bundle's own word", "unknown");
      else if (this.ask.trust_sha256 !== (await sha256Hex(data)))
        this.add("trust.other", "trust.json", "the bundle's keys are not those of the pinned fingerprint");
    }
    this.trustSha256 = await sha256Hex(data);
    try {
      const trust = parseCanonical(data, "trust");
      for (const key of trust.keys) {
        if (key.key_id !== (await sha256Hex(fromHex(key.public_key))).slice(0, 16) || this.keys.has(key.key_id))
          throw new Malformed("expected a key once, under its own id");
        this.keys.set(key.key_id, key);
      }
      this.quorum = trust.quorum;
    } catch (problem) {
      if (!(problem instanceof Malformed)) throw problem;
      this.add("trust.malformed", "trust.json", problem.message); return false;
    }
    return true;
  }
  async opened(envelope, where, payloadType = C.payload) {
    if (envelope.payloadType !== payloadType) throw new Malformed("expected another payload type");
    const payload = fromBase64(envelope.payload);
    const message = concat(utf8.encode(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload);
    const keys = [];
    for (const one of envelope.signatures) {
      const signature = fromBase64(one.sig), key = this.keys.get(one.keyid);
      if (!key) this.add("signature.untrusted", where, `${one.keyid.slice(0, 16)} is not in the trust file`);
      else if (!(await ed25519(fromHex(key.public_key), message, signature)))
        this.add("signature.invalid", where, `the signature of ${key.holder} does not hold`);
      else keys.push(key);
    }
    return [payload, keys];
  }
  statement(payload, where) {
    try {
      const statement = JSON.parse(text(payload));
      if (statement._type !== C.statement) throw new Malformed("expected an in-toto statement");
      requireShape(statement.predicate.signed_at, "time");
      requireShape(statement.predicate.role, "str");
      requireShape(statement.predicateType, "str");
      requireShape(statement.subject, [{ name: "str", digest: { sha256: "str" } }]);
      return statement;
    } catch { this.add("statement.malformed", where, "expected an in-toto statement with role and time"); return null; }
  }
  async bundleSignature(where) {
    const before = this.found.length;
    let payload, keys;
    const row = { where, role: where.slice(SIGNATURES.length).split("-")[0], holder: "?", signed_at: "", ok: false };
    this.signatures.push(row);
    try { [payload, keys] = await this.opened(parseCanonical(this.files.get(where), "envelope"), where); } catch (problem) {
      if (!(problem instanceof Malformed)) throw problem;
      this.add("signature.malformed", where, problem.message); return;
    }
    if (keys.length !== 1) {
      if (this.found.length === before) this.add("signature.malformed", where, "expected one signature");
      return;
    }
    const key = keys[0], statement = this.statement(payload, where);
    if (!statement) return;
    const { role, signed_at, run_id } = statement.predicate;
    Object.assign(row, { role, holder: key.holder, signed_at });
    if (where !== `${SIGNATURES}${role}-${key.key_id}.dsse.json`) this.add("signature.name", where, "not named for role and key");
    if (statement.predicateType !== (role === C.builder ? C.build : C.sign_off))
      this.add("statement.type", where, `${role} does not sign ${statement.predicateType}`);
    if (role !== C.builder && !C.human_roles.includes(role)) this.add("role.unknown", where, `${role} signs no bundle`);
    this.may(key, role, signed_at, where);
    if (run_id !== this.manifest.run_id) this.add("statement.run", where, "the signature is of another run");
    const names = (subjects) => JSON.stringify(subjects.map((one) => [one.name, one.digest.sha256]));
    if (names(statement.subject) !== names(this.subjects(role)))
      this.add("statement.subject", where, "the signature is of another bundle");
    for (const account of ["desk", "operator", "author"])
      if (key.holder === this.manifest[account] && (account === "desk" || key.kind === "person"))
        this.add(`signer.is_${account}`, where, `${key.holder} is the ${account} of this run`);
    if (this.found.length === before) {
      if (this.signed.has(role) || (role !== C.builder && [...this.signed.values()].includes(key.holder)))
        this.add("signer.not_distinct", where, `${key.holder} signed already, or another ${role}`);
      else row.ok = true;
      this.signed.set(role, key.holder);
    }
  }
  subjects(role) {
    const named = [["manifest.json", this.bundleId]];
    if (role === C.builder) named.push(["page_template", this.manifest.page_template_sha256],
      ...this.manifest.entries.map((one) => [one.path, one.sha256]));
    return named.map(([name, sha256]) => ({ name, digest: { sha256 } }));
  }
  may(key, role, signedAt, where) {
    if (!key.roles.includes(role) || (key.kind === "person") !== C.human_roles.includes(role))
      this.add("role.denied", where, `${key.holder} may not sign as ${role}`);
    if (!(key.valid_from <= signedAt && signedAt < key.valid_to))
      this.add("key.expired", where, `the key of ${key.holder} was not valid at ${signedAt}`);
    if (key.revoked_at !== null && signedAt >= key.revoked_at)
      this.add("key.revoked", where, `the key of ${key.holder} is revoked since ${key.revoked_at}`);
    if (signedAt > this.ask.at) this.add("signature.future", where, `signed at ${signedAt}, in the future`);
  }
  enough() {
    if (this.manifest.run_class === "release")
      for (const account of ["desk", "operator", "author"])
        if (this.manifest[account] === null) this.add("account.unknown", account, `without the ${account} nobody can say who is apart`);
    const { manifest } = this, needed = new Set([...C.quorum[manifest.run_class], ...(this.quorum[manifest.run_class] || [])]);
    if (manifest.run_class === "release" && manifest.environment === "live") for (const role of C.live_quorum) needed.add(role);
    for (const role of needed) if (!this.signed.has(role)) this.add("quorum.missing", role, `no valid signature as ${role}`);
  }
  async waivers() {
    const active = new Map();
    for (const entry of this.entries("waiver")) {
      const data = await this.object(entry), waiver = data ? await this.waiver(data, entry.path) : null;
      if (!waiver) continue;
      active.set(waiver.finding_code, waiver.scope);
      this.add("waiver.active", entry.path, `${waiver.finding_code} is waived until ${waiver.expires_at}: ${waiver.reason}`, "warn");
    }
    if (active.size > C.waivers_active_max) this.add("waiver.too_many", "manifest.json", `expected at most ${C.waivers_active_max}`);
    if (this.manifest.run_class === "release")
      for (const one of this.manifest.relaxations)
        if (active.get(one.code) !== this.manifest.run_id) this.add("relaxation.bare", one.code, "relaxed without a valid waiver of this run");
  }
  async waiver(data, where) {
    const before = this.found.length;
    let keys, waiver, longest;
    try {
      const envelope = parseCanonical(data, "envelope");
      let payload;
      [payload, keys] = await this.opened(envelope, where);
      const statement = JSON.parse(text(payload));
      waiver = statement.predicate;
      requireShape(waiver, C.shapes.waiver);
      if (statement.predicateType !== C.waiver || statement._type !== C.statement) throw new Malformed("expected a waiver");
      longest = stampOf(timeOf(waiver.issued_at) + C.waiver_days_max * 86400000);
    } catch { this.add("waiver.malformed", where, "expected a signed waiver"); return null; }
    for (const key of keys) this.may(key, key.roles.find((role) => C.human_roles.includes(role)) || "", waiver.issued_at, where);
    const holders = new Set(keys.map((key) => key.holder)), { at } = this.ask;
    const table = [
      [holders.has(waiver.author), "waiver.own", "the author signed it"],
      [holders.size < C.waiver_signers_min, "waiver.quorum", `expected ${C.waiver_signers_min} signers`],
      [waiver.expires_at > longest, "waiver.too_long", `longer than ${C.waiver_days_max} days`],
      [C.never_waivable.includes(waiver.finding_code.split(".")[0]), "waiver.never", "this is never waived"],
      [waiver.expires_at <= at, "waiver.expired", `ended at ${waiver.expires_at}`],
      [waiver.issued_at > at, "waiver.future", `issued at ${waiver.issued_at}, in the future`],
    ];
    for (const [broken, code, message] of table) if (broken) this.add(code, where, message);
    return this.found.length === before ? waiver : null;
  }
  /* Each minute names the line before it, so the last signature speaks for all. */
  async witness(data, where) {
    if (data.at(-1) !== 10) { this.add("witness.malformed", where, "expected whole lines"); return; }
    let before = "0".repeat(64), envelope, minute, number = 0;
    for (let start = 0; start < data.length; ) {
      const end = data.indexOf(10, start), line = data.subarray(start, end);
      number += 1;
      try {
        envelope = parseCanonical(data.subarray(start, end + 1), "envelope");
        minute = JSON.parse(text(fromBase64(envelope.payload)));
        requireShape(minute.run_id, "str");
        requireShape(minute.prev, "hex");
        if (!Number.isInteger(minute.minute) || minute.minute < 0) throw new Malformed("expected a minute");
      } catch { this.add("witness.malformed", where, `line ${number} is no minute of a witness`); return; }
      if (minute.prev !== before) { this.add("witness.chain", where, `line ${number} does not continue the minute before`); return; }
      if (minute.run_id !== this.manifest.run_id) { this.add("witness.run", where, `line ${number} is of another run`); return; }
      before = await sha256Hex(line);
      start = end + 1;
    }
    let keys, at;
    try {
      [, keys] = await this.opened(envelope, where, C.witness_minute);
      at = stampOf(minute.minute / 1000000);
    } catch { this.add("witness.malformed", where, "the last line is no signed minute"); return; }
    for (const key of keys) this.may(key, C.witness, at, where);
    if (!keys.length && !envelope.signatures.length) this.add("witness.malformed", where, "the last minute is not signed");
  }
  async log() {
    const data = this.files.get("log.json"), where = "log.json";
    if (!data) {
      if (this.manifest.run_class === "release") this.add("log.missing", where, "class release needs a proof of the evidence log");
      return;
    }
    const before = this.found.length;
    let proof, payload, keys;
    try { proof = parseCanonical(data, "log"); [payload, keys] = await this.opened(proof.head, where); } catch (problem) {
      if (!(problem instanceof Malformed)) throw problem;
      this.add("log.malformed", where, problem.message); return;
    }
    if (keys.length !== 1) {
      if (this.found.length === before) this.add("log.malformed", where, "expected one signature");
      return;
    }
    const statement = this.statement(payload, where);
    if (!statement) return;
    const { size, role, signed_at } = statement.predicate, root = statement.subject.length ? statement.subject[0].digest.sha256 : "";
    if (statement.predicateType !== C.log_head || role !== C.log_keeper || !Number.isSafeInteger(size)) {
      this.add("log.malformed", where, "expected a signed head of the evidence log"); return;
    }
    this.may(keys[0], role, signed_at, where);
    if ((await rootByInclusion(this.bundleId, proof.index, size, proof.inclusion)) !== root)
      this.add("log.inclusion", where, "the bundle is not shown to be in the log");
    const since = proof.since || { size: 0, root: await sha256Hex(new Uint8Array()) };
    if (!(await consistent(since.size, size, since.root, root, proof.consistency)))
      this.add("log.forked", where, "the log does not continue the head before it");
    if (!this.ask.log_head) return;
    const [knownSize, knownRoot] = this.ask.log_head;
    if (size < knownSize) this.add("log.rolled_back", where, `the log had ${knownSize} bundles, now ${size}`);
    else if ((size === knownSize && root !== knownRoot) || (since.size === knownSize && since.root !== knownRoot))
      this.add("log.forked", where, "the log is not the one that was seen before");
    else if (size !== knownSize && since.size !== knownSize)
      this.add("log.unproved", where, `expected a consistency proof since ${knownSize}`);
  }
}

/* The block of data of a page: {files, omitted}, in its one canonical form. */
function blockOf(source) {
  let block;
  try { block = JSON.parse(source); } catch { throw new Malformed("expected a block of data"); }
  if (!isObject(block) || canonicalText(block) + "\n" !== source || Object.keys(block).join() !== "files,omitted" || !isObject(block.files)
    || !Array.isArray(block.omitted)) throw new Malformed("expected the canonical block of data");
  for (const data of Object.values(block.files)) if (typeof data !== "string") throw new Malformed("expected base64");
  return { files: new Map(Object.entries(block.files).map(([name, data]) => [name, fromBase64(data)])), omitted: block.omitted };
}
