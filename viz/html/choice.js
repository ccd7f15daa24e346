// What is chosen, and what is lit because of it.
const EVERYTHING = 1000;
const state = {
  chosen: [], depth: EVERYTHING, directions: { needs: true, needed: true }, way: undefined, isPicking: false, hits: undefined, off: new Set(),
};
let litBoxes = new Set();
let litArrows = new Map();

function isOn(edge) {
  return !state.off.has(`strength ${edge.strength}`);
}

function isBoxOff(box) {
  return state.off.has(`family ${box.family}`) || (!box.isApi && state.off.has(`kind ${box.kind}`));
}

// Returns what to light in the view that is shown: its boxes, and its arrows with the manner of each.
function lighting() {
  const boxes = new Set();
  const arrows = new Map();
  const view = camera.view;
  const box = (node) => boxes.add(view.boxOf[node]);
  const line = (edge, manner) => {
    for (const arrow of view.arrowOf.get(`${view.boxOf[edge.from]} ${view.boxOf[edge.to]}`) ?? []) arrows.set(arrow, manner);
  };
  if (state.way) {
    state.way.nodes.forEach(box);
    for (const edge of state.way.edges) line(edge, "needs");
  } else if (state.chosen.length) {
    state.chosen.forEach(box);
    for (const direction of ["needs", "needed"]) {
      if (!state.directions[direction]) continue;
      const { found, walked } = reach(state.chosen, direction, state.depth, isOn);
      for (const node of found.keys()) box(node);
      for (const edge of walked) line(edge, direction);
    }
  } else if (state.hits) {
    state.hits.forEach(box);
  } else if (view.boxes.some((one) => one.pale)) {
    for (const one of view.boxes) if (!one.pale) boxes.add(one.index);
    for (const one of view.arrows) if (!one.pale) arrows.set(one, "plain");
  }
  boxes.delete(-1);
  return { boxes, arrows };
}

// Lights what is to be lit. The fewer, lit or not, stand apart in a layer of their own, so that one
// of the two layers as a whole goes pale; only what changes is touched.
function relight() {
  const view = camera.view;
  const { boxes, arrows } = lighting();
  const focus = document.activeElement;
  for (const index of litBoxes) if (!boxes.has(index)) view.boxes[index].element.classList.remove("lit");
  for (const index of boxes) if (!litBoxes.has(index)) view.boxes[index].element.classList.add("lit");
  for (const [arrow, manner] of litArrows) if (arrows.get(arrow) !== manner) arrow.element.classList.remove("lit", manner);
  for (const [arrow, manner] of arrows) if (litArrows.get(arrow) !== manner) arrow.element.classList.add("lit", manner);
  litBoxes = boxes;
  litArrows = arrows;
  standApart(view, "Boxes", view.boxes, (box) => boxes.has(box.index), boxes.size);
  standApart(view, "Lines", view.arrows, (arrow) => arrows.has(arrow), arrows.size);
  // A node that is moved loses the focus.
  if (focus !== document.activeElement && focus?.matches(".n")) focus.focus({ preventScroll: true });
  view.group.classList.toggle("pale", boxes.size > 0 || !!state.hits);
  const chosen = new Set(state.chosen.map((node) => view.boxOf[node]));
  for (const element of view.group.querySelectorAll(".n.chosen")) if (!chosen.has(Number(element.dataset.box))) element.classList.remove("chosen");
  for (const index of chosen) view.boxes[index]?.element.classList.add("chosen");
}

function standApart(view, layer, all, isLit, count) {
  const areMost = count * 2 > all.length;
  const apart = new Set(all.filter((one) => isLit(one) !== areMost));
  if (count === 0) apart.clear();
  const before = view[`apart${layer}`];
  for (const one of before) if (!apart.has(one)) view[`rest${layer}`].append(one.element);
  for (const one of apart) if (!before.has(one)) view[`few${layer}`].append(one.element);
  view[`apart${layer}`] = apart;
  view.group.classList.toggle(`most-${layer.toLowerCase()}`, areMost);
}

function refilter() {
  const view = camera.view;
  for (const box of view.boxes) box.element.classList.toggle("off", isBoxOff(box));
  for (const arrow of view.arrows) {
    const isOff = state.off.has(`strength ${arrow.name}`) || isBoxOff(view.boxes[arrow.from]) || isBoxOff(view.boxes[arrow.to]);
    arrow.element.classList.toggle("off", isOff);
  }
}

function showView(name) {
  for (const index of litBoxes) camera.view.boxes[index].element.classList.remove("lit");
  for (const [arrow, manner] of litArrows) arrow.element.classList.remove("lit", manner);
  litBoxes = new Set();
  litArrows = new Map();
  camera.view = viewOf(name);
  begin();
  lookNow();
  world.replaceChildren(camera.view.group);
  byId("caption").textContent = camera.view.data.caption.join(" · ");
  for (const button of byId("views").children) {
    const isShown = button.dataset.view === name;
    button.setAttribute("aria-checked", isShown);
    button.tabIndex = isShown ? 0 : -1;
  }
  showLegend();
  refilter();
  relight();
  look();
}

// Shows or hides the panel; what has not been moved by hand is fitted into the room that is left.
function refit() {
  const wasHidden = panel.hidden;
  showPanel();
  if (panel.hidden !== wasHidden && !camera.hasMoved && tab === "graph") fit();
}

function neighbourhood(chosen) {
  return chosen.flatMap((node) => [node, ...nodes[node].into.map((edge) => edge.from), ...nodes[node].out.map((edge) => edge.to)]);
}

function bringIntoView(listed, closest) {
  const { boxes, boxOf } = camera.view;
  const shown = [...new Set(listed.map((node) => boxOf[node]))].map((index) => boxes[index]).filter((box) => box && !isBoxOff(box));
  if (shown.length && tab === "graph") bringIntoSight(shown, closest);
}

// Chooses nodes: shows what they need, what needs them, and all that is known of them.
function choose(chosen, { isQuiet = false } = {}) {
  if (state.isPicking && chosen.length && state.chosen.length) {
    findWay(state.chosen, chosen);
    return;
  }
  state.isPicking = false;
  state.way = undefined;
  state.chosen = chosen;
  relight();
  refit();
  if (chosen.length) bringIntoView(neighbourhood(chosen), READABLE);
  remember();
  if (!chosen.length) say("");
  else if (!isQuiet) {
    const needs = reach(chosen, "needs", EVERYTHING, isOn).found.size - chosen.length;
    const needed = reach(chosen, "needed", EVERYTHING, isOn).found.size - chosen.length;
    say(`${chosen.length > 1 ? counted(chosen.length, "node") : nodes[chosen[0]].id}: needs ${needs}, needed by ${needed}`);
  }
}

function pickOther() {
  if (state.isPicking) {
    state.isPicking = false;
    say("No path then");
  } else if (!state.chosen.length) say("Choose a node first, then p, then the other one", { stays: true });
  else {
    state.way = undefined;
    state.isPicking = true;
    bringIntoSight(camera.view.boxes.filter((box) => !isBoxOff(box)), 0);
    say("Path: choose the node at its other end (Escape to leave it)", { stays: true });
  }
  byId("path").setAttribute("aria-pressed", state.isPicking);
}

function findWay(froms, tos) {
  let best;
  for (const from of froms) {
    for (const to of tos) {
      for (const way of [wayBetween(from, to, isOn), wayBetween(to, from, isOn)]) if (way && (!best || way.length < best.length)) best = way;
    }
  }
  state.isPicking = false;
  byId("path").setAttribute("aria-pressed", false);
  if (!best) {
    say(`No path between ${nodes[froms[0]].id} and ${nodes[tos[0]].id}: neither needs the other`, { stays: true });
    return;
  }
  const listed = best.length ? [best[0].from, ...best.map((edge) => edge.to)] : [froms[0]];
  state.way = { edges: best, nodes: listed };
  state.chosen = [listed[0], listed[listed.length - 1]];
  relight();
  refit();
  bringIntoView(listed, 0);
  remember();
  say(`Path: ${counted(listed.length, "node")}`);
}

// Leaves what was chosen, searched for and filtered: everything is shown as at first.
function leave() {
  if (state.isPicking) {
    pickOther();
    return;
  }
  if (searchBox.value) clearSearch();
  if (state.off.size) {
    state.off.clear();
    refilter();
    showLegend();
  }
  choose([]);
}
