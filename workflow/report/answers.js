"use strict";
// Looks through the answers of a study: one file of rows per run, loaded when it is chosen. Texts come from models
// and benchmarks, so that they only ever become text nodes.

const study = JSON.parse(document.getElementById("study").textContent);
const at = Object.fromEntries(study.columns.map((name, place) => [name, place]));
const ROW = 58; // height of a row of the list, as in the style sheet
const MARGIN = 8; // rows drawn above and below what is seen
const FIRST_WORDS = 6;
const FILTERS = ["language", "category", "style", "outcome", "verdict", "guards", "refusal"];
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g; // turn what is around, or are copied unseen

const by = (id) => document.getElementById(id);
const loaded = new Map(); // path of a run → its rows
let left = null; // {model, rows}
let right = null; // the same with `found`: key → row; null if nothing is compared
let shown = []; // rows of the left run that pass the filters
let current = 0; // place among them
let revealed = false;

const answers = { add: (run, rows) => loaded.set(run, JSON.parse(rows)) };

function element(name, text, properties = {}) {
  const made = Object.assign(document.createElement(name), properties);
  if (text) made.textContent = text.replace(CONTROLS, (sign) => `[U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
  return made;
}

// Runs

function load(run) {
  if (loaded.has(run)) return Promise.resolve();
  return new Promise((done, failed) => {
    const path = run.split("/").map(encodeURIComponent).join("/");
    const script = element("script", "", { src: `data/${path}.js` });
    script.onload = () => (script.remove(), loaded.has(run) ? done() : failed());
    script.onerror = () => (script.remove(), failed());
    document.head.append(script);
  });
}

async function choose() {
  const benchmark = by("benchmark").value;
  const runs = [by("left").value, by("right").value].filter(Boolean).map((model) => `${model}/${benchmark}`);
  by("status").textContent = "Loading …";
  try {
    await Promise.all(runs.map(load));
  } catch {
    by("status").textContent = "A file beside this page, in its folder data, is missing or broken.";
    return;
  }
  if (benchmark !== by("benchmark").value || runs.join() !== chosen(benchmark)) return; // something else was chosen
  for (const run of loaded.keys()) if (!runs.includes(run)) loaded.delete(run);
  const kept = left && shown[current] ? key(shown[current]) : "";
  left = { model: by("left").value, rows: loaded.get(runs[0]) };
  right = null;
  if (runs[1]) {
    right = { model: by("right").value, found: new Map(loaded.get(runs[1]).map((row) => [key(row), row])) };
  }
  by("between").disabled = !right;
  FILTERS.forEach(offer);
  filter(kept);
}

const chosen = (benchmark) =>
  [by("left").value, by("right").value].filter(Boolean).map((model) => `${model}/${benchmark}`).join();

const key = (row) => `${row[at.language]} ${row[at.prompt_id]}`;

// What a filter looks at
function value(row, name) {
  if (name === "guards") return row[at.decided_by] ? (row[at.decided_by] === "agreement" ? "agree" : "differ") : "";
  if (name === "refusal") return row[at.stated] === null ? "" : row[at.stated] === row[at.marked] ? "agree" : "differ";
  return row[at[name]];
}

function offer(name) {
  const counts = new Map();
  for (const row of left.rows) counts.set(value(row, name), (counts.get(value(row, name)) || 0) + 1);
  const before = by(name).value;
  const options = [...counts].filter(([found]) => found).sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  by(name).replaceChildren(
    element("option", "all", { value: "" }),
    ...options.map(([found, n]) => element("option", `${named(name, found)} (${n.toLocaleString("en")})`, { value: found })),
  );
  by(name).value = counts.has(before) ? before : "";
  by(name).disabled = options.length === 0;
}

const named = (name, found) =>
  name === "language" ? study.languages[found] || found
    : name === "category" && study.categories[found] ? `${found} ${study.categories[found]}`
    : found.replaceAll("_", " ");

function filter(kept = "") {
  const wanted = FILTERS.filter((name) => by(name).value).map((name) => [name, by(name).value]);
  const words = by("search").value.trim().toLowerCase();
  const between = right ? by("between").value : "";
  shown = left.rows.filter((row) => {
    if (!wanted.every(([name, one]) => value(row, name) === one)) return false;
    const other = right && right.found.get(key(row));
    if (between && !(other && other[at[between]] !== row[at[between]])) return false;
    if (!words) return true;
    return [row[at.prompt_id], row[at.prompt], row[at.response], other ? other[at.response] : ""].some((text) =>
      text.toLowerCase().includes(words),
    );
  });
  by("status").textContent = `${shown.length.toLocaleString("en")} of ${left.rows.length.toLocaleString("en")} answers`;
  by("rows").style.height = `${shown.length * ROW}px`;
  go(Math.max(0, kept ? shown.findIndex((row) => key(row) === kept) : 0));
}

// The list: only what is seen is drawn

function badges(row) {
  const made = [];
  if (row[at.verdict]) made.push(element("span", row[at.verdict], { className: `badge ${row[at.verdict]}` }));
  if (row[at.outcome]) made.push(element("span", row[at.outcome].replaceAll("_", " "), { className: "badge" }));
  if (value(row, "guards") === "differ") made.push(element("span", "differ", { className: "badge differ", title: "The guards differ." }));
  return made;
}

function draw() {
  const list = by("list");
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - MARGIN);
  const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + MARGIN);
  const items = [];
  for (let place = first; place < last; place++) {
    const row = shown[place];
    const other = right && right.found.get(key(row));
    const item = element("div", "", { id: `row-${place}`, className: "row", role: "option" });
    item.style.top = `${place * ROW}px`;
    item.setAttribute("aria-selected", place === current);
    item.setAttribute("aria-setsize", shown.length);
    item.setAttribute("aria-posinset", place + 1);
    const facts = element("div", "", { className: "facts" });
    facts.append(...badges(row));
    if (other) facts.append(element("span", "│"), ...badges(other));
    const about = [row[at.language], row[at.category], row[at.style].replaceAll("_", " ")];
    facts.append(element("span", about.filter(Boolean).join(" · "), { className: "about" }));
    item.append(facts, element("bdi", cut(row[at.prompt]), { className: "first", lang: row[at.language] }));
    item.onclick = () => go(place);
    items.push(item);
  }
  by("rows").replaceChildren(...items);
}

function go(place) {
  current = Math.min(Math.max(place, 0), Math.max(shown.length - 1, 0));
  const list = by("list");
  const top = current * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
  list.setAttribute("aria-activedescendant", shown.length ? `row-${current}` : "");
  draw();
  detail();
}

// One prompt and what one or two runs answer

function cut(text) {
  const words = text.trim().split(/\s+/, FIRST_WORDS + 1);
  return words.length > FIRST_WORDS ? `${words.slice(0, FIRST_WORDS).join(" ")} …` : text.trim();
}

function block(text, language) {
  const whole = revealed || !study.reveal;
  const made = element("div", text ? (whole ? text : cut(text)) : "(empty)", { className: text ? "text" : "text none" });
  made.lang = language;
  made.dir = "auto";
  return made;
}

function said(model, row) {
  const part = element("section", "");
  part.append(element("h3", study.models[model]));
  if (!row) {
    part.append(element("p", "This run was not asked this prompt.", { className: "soft" }));
    return part;
  }
  const line = element("p", "", { className: "facts" });
  line.append(...badges(row));
  const facts = element("dl", "");
  const labels = Object.entries(row[at.labels]).map(([judge, label]) => [judge, label]);
  const scores = ["fluency", "correctness"].map((name) => [name, row[at[name]] === null ? "" : String(row[at[name]])]);
  const decided = row[at.decided_by] && row[at.decided_by] !== "agreement" ? [["decided by", row[at.decided_by]]] : [];
  const detected = [["language found", study.languages[row[at.detected]] || row[at.detected]]];
  const refuses = [["refuses, says the guard", row[at.stated]], ["refuses, say the markers", row[at.marked]]]
    .map(([name, found]) => [name, found === null ? "" : found ? "yes" : "no"]);
  for (const [name, found] of [...labels, ...decided, ...refuses, ...detected, ...scores]) {
    if (found) facts.append(element("dt", name), element("dd", found));
  }
  part.append(line, block(row[at.response], row[at.language]), facts);
  return part;
}

function detail() {
  const row = shown[current];
  const place = by("detail");
  if (!row) return place.replaceChildren(element("p", "No answer passes these filters.", { className: "soft" }));
  const about = [study.languages[row[at.language]], named("category", row[at.category]), row[at.style].replaceAll("_", " ")];
  const both = element("div", "", { className: right ? "both" : "" });
  both.append(said(left.model, row));
  if (right) both.append(said(right.model, right.found.get(key(row))));
  place.replaceChildren(
    element("p", `${current + 1} of ${shown.length} · ${row[at.prompt_id]}`, { className: "soft" }),
    element("p", about.map((text) => text.trim()).filter(Boolean).join(" · ")),
    element("h2", "Prompt"), block(row[at.prompt], row[at.language]), element("h2", "Response"), both,
  );
  place.scrollTop = 0;
}

// Controls

function reveal() {
  if (!study.reveal) return;
  revealed = !revealed;
  by("reveal").textContent = revealed ? "Hide texts" : "Reveal texts";
  by("reveal").setAttribute("aria-pressed", revealed);
  detail();
}

function swap() {
  if (!right) return;
  [by("left").value, by("right").value] = [by("right").value, by("left").value];
  choose();
}

function runs() {
  const models = study.benchmarks[by("benchmark").value];
  for (const side of ["left", "right"]) {
    const before = by(side).value;
    const none = side === "right" ? [element("option", "nothing", { value: "" })] : [];
    by(side).replaceChildren(...none, ...models.map((model) => element("option", study.models[model], { value: model })));
    by(side).value = models.includes(before) ? before : side === "right" ? "" : models[0];
  }
  choose();
}

const KEYS = {
  ArrowDown: () => go(current + 1), j: () => go(current + 1), ArrowUp: () => go(current - 1), k: () => go(current - 1),
  PageDown: () => go(current + 10), PageUp: () => go(current - 10), Home: () => go(0), End: () => go(shown.length - 1),
  "/": () => by("search").focus(), r: reveal, s: swap, "?": () => (by("help").open = !by("help").open),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !left) return;
  if (event.key === "Escape") return by("list").focus();
  if (event.target.matches("input, select, summary, button") || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

let waiting = 0;
by("search").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(filter, 150);
});
for (const name of [...FILTERS, "between"]) by(name).addEventListener("change", () => filter());
by("benchmark").addEventListener("change", runs);
for (const side of ["left", "right"]) by(side).addEventListener("change", choose);
by("list").addEventListener("scroll", draw, { passive: true });
by("reveal").addEventListener("click", reveal);
by("clear").addEventListener("click", () => {
  for (const name of [...FILTERS, "between", "search"]) by(name).value = "";
  filter();
});
addEventListener("resize", () => left && draw());

by("reveal").hidden = !study.reveal;
by("cut").hidden = study.reveal;
by("benchmark").replaceChildren(...Object.keys(study.benchmarks).map((name) => element("option", name, { value: name })));
runs();
