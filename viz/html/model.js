// The page's data, and small tools for making elements. Nothing here turns text into markup.
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const page = JSON.parse(byId("data").textContent);
const { texts, strengths, problems, symbols, loud } = page;
const views = page.views.map(([name, label]) => ({ name, label }));
const KIND_WORDS = { provider: "provider", router: "router", table: "routing table" };
const STRENGTH_WORDS = { hard: "needed", member: "any of them needed", soft: "used if there", dropped: "bound late, once both run" };
const API_WORDS = { provider: "API", router: "routed API", table: "routed API without a router" };
const SEVERITIES = ["error", "warning", "note"];

const nodes = page.nodes.map((node, index) => ({
  ...node, index, api: texts[node.api], type: node.type === undefined ? "" : texts[node.type],
  config: node.config === undefined ? "" : texts[node.config],
  name: node.id.slice(node.id.indexOf(node.kind === "provider" ? "/" : ":") + 1),
  problems: [], into: [], out: [], dropped: [],
}));
for (const node of nodes) node.text = `${node.id} ${node.type} ${(node.tags ?? []).join(" ")}`.toLowerCase();
for (const problem of problems) if (problem.node !== undefined) nodes[problem.node].problems.push(problem);

// Edges run from what is needed (from) to what needs it (to).
const edges = page.edges.map(([from, to, strength, isDropped, ...evidence], index) => (
  { index, from, to, strength: strengths[strength], isDropped: !!isDropped, evidence: evidence.map((one) => texts[one]) }));
for (const edge of edges) {
  if (edge.isDropped) {
    nodes[edge.from].dropped.push(edge);
    if (edge.from !== edge.to) nodes[edge.to].dropped.push(edge);
  } else {
    nodes[edge.from].out.push(edge);
    nodes[edge.to].into.push(edge);
  }
}
const indexOfId = new Map(nodes.map((node) => [node.id, node.index]));

function worstOf(listed) {
  return SEVERITIES.find((severity) => listed.some((problem) => problem.severity === severity));
}

function counted(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

function filled(element, attributes, children) {
  for (const name in attributes) {
    const value = attributes[name];
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

function make(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function draw(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

// Texts of the config may be written from right to left; each keeps to itself.
function own(text) {
  return make("bdi", {}, text);
}

let sayings = 0;
function say(text, { stays = false } = {}) {
  const line = byId("say");
  line.textContent = text;
  line.classList.remove("old");
  sayings += 1;
  const mine = sayings;
  if (!stays) setTimeout(() => { if (mine === sayings) line.classList.add("old"); }, 4000);
}

// What follows what happens is replaced by itself again and again: but not while anything is pressed,
// for a click needs what it began on; and what has the keyboard keeps it.
const unfilled = new Map();
let isPressed = false;
function refill(element, fill) {
  if (isPressed) {
    unfilled.set(element, fill);
    return;
  }
  const inside = () => [...element.querySelectorAll("button, summary")];
  const focused_ = inside().indexOf(document.activeElement);
  fill();
  inside()[focused_]?.focus({ preventScroll: true });
}

function release() {
  isPressed = false;
  const late = [...unfilled];
  unfilled.clear();
  for (const [element, fill] of late) if (element.isConnected) refill(element, fill);
}
// Where another button opens a menu, nobody tells that it is up again.
addEventListener("pointerdown", ({ button }) => { isPressed = button === 0; });
for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => setTimeout(release));
