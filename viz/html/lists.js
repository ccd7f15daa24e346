// What stands beside the picture: legend with filters, problems, the table of the nodes.
function sample(...children) {
  return draw("svg", { class: "sample", viewBox: "0 0 26 14", "aria-hidden": "true" }, ...children);
}

function entry(key, text, count, picture_) {
  const box = make("input", { type: "checkbox", "data-key": key });
  box.checked = !state.off.has(key);
  box.addEventListener("change", () => {
    state.off[box.checked ? "delete" : "add"](key);
    refilter();
    relight();
    say(`${text}: ${box.checked ? "shown" : "hidden"}`);
  });
  return make("label", {}, box, picture_, own(text), make("small", {}, count.toLocaleString("en")));
}

function tally(items, keyOf) {
  const found = new Map();
  for (const item of items) found.set(keyOf(item), (found.get(keyOf(item)) ?? 0) + 1);
  return found;
}

function fieldset(name, rows) {
  return rows.length ? [make("fieldset", {}, make("legend", {}, name), ...rows)] : [];
}

// What else the legend explains.
const MORE_MARKS = [];

// Only what is in the view has an entry.
function showLegend() {
  const { boxes, arrows } = camera.view;
  const members = boxes.flatMap((box) => box.members.map((member) => ({ family: box.family, node: nodes[member] })));
  const kinds = tally(boxes, (box) => box.kind);
  const areApis = boxes.some((box) => box.isApi);
  const byFamily = tally(members, (one) => one.family);
  const apis = new Map();
  for (const { family, node } of members) apis.set(family, (apis.get(family) ?? new Set()).add(node.api));
  const lines = tally(arrows, (arrow) => arrow.name);
  const marks = MORE_MARKS.map((more) => more());
  if (arrows.some((arrow) => arrow.cycle)) marks.push(make("p", {}, sample(draw("path", { class: "e cycle", d: "M0,7H26" })), "cycle: nothing on it can start"));
  for (const severity of SEVERITIES) {
    if (!boxes.some((box) => box.severity === severity)) continue;
    marks.push(make("p", {}, sample(draw("g", { class: `n has-${severity}` }, draw("rect", { class: "badge", x: 1, y: 1, width: 24, height: 12, rx: 6 }))), `code of ${severity === "error" ? "an" : "a"} ${severity}`));
  }
  for (const [role, meaning] of Object.entries(camera.view.data.meanings)) {
    marks.push(make("p", {}, sample(draw("g", { class: ["n", ...markClasses(role)].join(" ") }, shape("provider", "box", 1, 1, 24, 12), draw("text", { x: 13, y: 11 }, symbols[role]))), meaning));
  }
  byId("entries").replaceChildren(
    ...fieldset("Kinds", Object.keys(KIND_WORDS).filter((kind) => kinds.has(kind)).map((kind) => (areApis
      ? make("p", {}, sample(shape(kind, "box", 1, 1, 24, 12)), API_WORDS[kind])
      : entry(`kind ${kind}`, KIND_WORDS[kind], kinds.get(kind), sample(shape(kind, "box", 1, 1, 24, 12)))))),
    ...fieldset("APIs", [...byFamily.keys()].sort((a, b) => a - b).map((family) =>
      entry(`family ${family}`, [...apis.get(family)].sort().join(", "), byFamily.get(family), sample(draw("g", { class: `n f${family}` }, shape("provider", "box", 1, 1, 24, 12)))))),
    ...fieldset("Arrows, to what needs it", Object.keys(STRENGTH_WORDS).filter((name) => lines.has(name)).map((name) =>
      entry(`strength ${name}`, STRENGTH_WORDS[name], lines.get(name), sample(draw("path", { class: `e ${name === "dropped" ? name : `s-${name}`}`, d: "M0,7H26" }))))),
    ...fieldset("Marks", marks),
  );
}

function showProblems() {
  const parts = SEVERITIES.flatMap((severity) => {
    const listed = problems.filter((problem) => problem.severity === severity);
    return listed.length ? [make("h2", {}, counted(listed.length, severity)), ...listed.map((problem) =>
      make("div", {}, problem.node !== undefined && nodeLink(problem.node), problemText(problem)))] : [];
  });
  if (page.excluded.length) parts.push(make("h2", {}, `${counted(page.excluded.length, "entry").replace(/ys$/, "ies")} of the config not in the graph`));
  for (const [why, listed] of Map.groupBy(page.excluded, (one) => one[4])) {
    parts.push(make("details", {}, make("summary", {}, own(why), ` (${listed.length})`), make("ul", {}, ...listed.map(([what, type, summary, place]) =>
      make("li", {}, own(what), " ", make("small", {}, own(type)), summary !== why && " – ", summary !== why && own(summary), place && " – ", place && own(place))))));
  }
  byId("problems-page").replaceChildren(...(parts.length ? parts : [make("p", {}, "No problems.")]));
}

const TABS = [
  ["graph", "Graph", () => undefined],
  ["nodes", `Nodes ${nodes.length.toLocaleString("en")}`, () => undefined],
  ["problems", problems.length ? `Problems ${problems.length}` : "Problems", showProblems],
];
// Pages on which a node can be chosen without leaving them, and what stands beside the timeline.
const KEEPING_TABS = new Set(["nodes"]);
const BESIDE_TIMELINE = [];
const shownOnce = new Set();
let tab = "";

function showTab(name) {
  tab = name;
  root.dataset.tab = name;
  for (const button of document.querySelectorAll("[role=tab]")) {
    const isShown = button.dataset.tab === name;
    button.setAttribute("aria-selected", isShown);
    button.tabIndex = isShown ? 0 : -1;
  }
  if (!shownOnce.has(name)) TABS.find(([one]) => one === name)[2]();
  shownOnce.add(name);
  if (name === "graph" && camera.view && !camera.hasMoved) fit();
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("#nodes tbody tr");
  if (!row || !indexOfId.has(row.dataset.address)) return;
  choose([indexOfId.get(row.dataset.address)]);
  row.classList.add("selected");
});
