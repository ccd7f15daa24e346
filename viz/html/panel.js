// The side panel: all that is known of what is chosen.
const MOST_LISTED = 100;
// What else is told of a node: functions that return elements.
const MORE_PARTS = [];
// What else follows what is chosen.
const WHEN_CHOSEN = [];

function showPanel() {
  const parts = state.way ? wayParts() : state.chosen.length > 1 ? groupParts() : state.chosen.length ? nodeParts(nodes[state.chosen[0]]) : [];
  panel.hidden = !parts.length;
  panel.scrollTop = 0;
  panel.replaceChildren(...(parts.length ? [make("button", { type: "button", class: "close", "aria-label": "Close details", title: "Close (Escape)", onclick: () => choose([]) }, "×"), ...parts] : []));
  for (const row of document.querySelectorAll("#nodes tr.selected")) row.classList.remove("selected");
  for (const act of WHEN_CHOSEN) act();
}

function nodeLink(index) {
  return make("button", { type: "button", class: "node-link", onclick: () => goTo(index) }, own(nodes[index].id));
}

function heading(text, key) {
  return make("h3", {}, key && make("span", { class: key }), text);
}

function listOf(items, make_) {
  const rows = items.slice(0, MOST_LISTED).map(make_);
  if (items.length > MOST_LISTED) rows.push(make("li", {}, make("small", {}, `and ${items.length - MOST_LISTED} more`)));
  return make("ul", {}, ...rows);
}

function edgeItem(edge, other) {
  const how = edge.isDropped ? STRENGTH_WORDS.dropped : STRENGTH_WORDS[edge.strength];
  return make("li", {}, nodeLink(other), make("small", {}, how), ...edge.evidence.map((text) => make("span", { class: "why" }, own(text))));
}

function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== "");
  return make("dl", {}, ...shown.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, typeof value === "string" ? own(value) : value)]));
}

function nodeParts(node) {
  const parts = [
    make("h2", {}, own(node.name)),
    facts([
      ["Address", make("code", {}, own(node.id))], ["Kind", KIND_WORDS[node.kind]], ["API", node.api], ["Type", node.type],
      ["Place", node.ghost ? "" : node.at ?? (node.kind === "provider" ? "in every stack" : "made for its API")],
      ["Generation", String(node.gen ?? `none: it is ${node.ghost ? "not in the graph" : "on a cycle"}`)], ["Mark", page.live ? "" : markOf(node.index)], ["Tags", (node.tags ?? []).join(", ")],
    ]),
  ];
  if (node.problems.length) parts.push(heading(node.problems.length > 1 ? "Problems" : "Problem"), ...node.problems.map(problemText));
  parts.push(...MORE_PARTS.flatMap((more) => more(node)), depthControl(), actions());
  const dropped = node.dropped;
  parts.push(heading(`Needs ${node.into.length}`, "needs-key"), listOf(node.into, (edge) => edgeItem(edge, edge.from)));
  parts.push(heading(`Needed by ${node.out.length}`, "needed-key"), listOf(node.out, (edge) => edgeItem(edge, edge.to)));
  if (dropped.length) parts.push(heading("Bound late"), listOf(dropped, (edge) => edgeItem(edge, edge.from === node.index ? edge.to : edge.from)));
  parts.push(...fallParts([node.index]));
  if (node.resources) parts.push(heading("Registers at start"), listOf(node.resources, (text) => make("li", {}, own(text))));
  if (node.config) parts.push(heading("Config, secrets masked"), make("pre", { class: "config", tabindex: 0, "aria-label": "Config" }, node.config));
  return parts;
}

function markOf(index) {
  const { mark } = camera.view.boxes[camera.view.boxOf[index]] ?? {};
  return mark ? [camera.view.data.meanings[mark[0]] ?? mark[0], mark[1]].filter(Boolean).join(": ") : "";
}

function fallParts(starts) {
  const { fallen, weakened } = fallOf(starts);
  const item = (index) => make("li", {}, nodeLink(index));
  const parts = [heading("If it fails")];
  if (!fallen.length && !weakened.length) parts.push(make("p", { class: "breaks" }, "nothing else breaks"));
  if (fallen.length) parts.push(make("p", { class: "breaks" }, `${counted(fallen.length, "node")} cannot start:`), listOf(fallen, item));
  if (weakened.length) parts.push(make("p", { class: "weakens" }, `${counted(weakened.length, "node")} ${weakened.length > 1 ? "go" : "goes"} on without what ${weakened.length > 1 ? "they use" : "it uses"}:`), listOf(weakened, item));
  return parts;
}

// What the box of several nodes is called in the picture.
function titleOfChosen() {
  const boxes = new Set(state.chosen.map((index) => camera.view.boxes[camera.view.boxOf[index]]));
  const [box] = boxes;
  return boxes.size === 1 && box ? titleOf(box) : counted(state.chosen.length, "node");
}

function groupParts() {
  const found = state.chosen.flatMap((index) => nodes[index].problems);
  return [
    make("h2", {}, own(titleOfChosen())), depthControl(), actions(),
    ...(found.length ? [heading("Problems"), ...found.slice(0, MOST_LISTED).map(problemText)] : []),
    heading("Stands for"), listOf(state.chosen, (index) => make("li", {}, nodeLink(index), nodes[index].type && make("small", {}, nodes[index].type))),
    ...fallParts(state.chosen),
  ];
}

function wayParts() {
  const { edges: hops, nodes: listed } = state.way;
  return [
    make("h2", {}, "Path"),
    make("p", {}, `${counted(listed.length, "node")}, each needed by the next`),
    make("ol", { class: "way" }, ...listed.map((index, at) => make("li", {}, nodeLink(index),
      hops[at] && make("small", {}, STRENGTH_WORDS[hops[at].strength]), ...(hops[at]?.evidence ?? []).map((text) => make("span", { class: "why" }, own(text)))))),
  ];
}

function problemText(problem) {
  return make("pre", { class: `problem ${problem.severity}` }, problem.text);
}

function depthControl() {
  const most = 10;
  const depthText = (value) => (value > most ? "all" : `${value}`);
  const shown = make("span", { id: "depth-shown" }, depthText(state.depth));
  const slider = make("input", { id: "depth", type: "range", min: 1, max: most + 1, value: Math.min(state.depth, most + 1), "aria-label": "Steps to follow", "aria-valuetext": depthText(state.depth) });
  slider.addEventListener("input", () => {
    const value = Number(slider.value);
    state.depth = value > most ? EVERYTHING : value;
    shown.textContent = depthText(state.depth);
    slider.setAttribute("aria-valuetext", depthText(state.depth));
    relight();
    remember();
  });
  return make("div", { class: "depth" }, make("label", { for: "depth" }, "Steps"), slider, shown);
}

function actions() {
  const toggle = (direction, text) => make("button", {
    type: "button", "aria-pressed": String(state.directions[direction]), "data-direction": direction,
    onclick: (event) => {
      state.directions[direction] = !state.directions[direction];
      event.currentTarget.setAttribute("aria-pressed", state.directions[direction]);
      relight();
    },
  }, text);
  return make("div", { class: "actions" }, toggle("needs", "what it needs"), toggle("needed", "what needs it"), make("button", { type: "button", class: "path-from", onclick: pickOther }, "path to …"));
}
