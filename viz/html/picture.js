// The views as SVG. A view is drawn when it is first shown; texts when they are first legible.
const picture = byId("picture");
const panel = byId("panel");
const LEADING = 1.32;
const BOW = 26;
const BAND = 15;
const HEADING = 28;
const drawn = new Map();
const world = draw("g", { id: "world" });
picture.append(draw("defs", {}, ...["hard", "member", "soft", "cycle", "needs", "needed", "pale"].map((name) =>
  draw("marker", { id: `head-${name}`, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" },
    draw("path", { d: "M0,0.5L10,5L0,9.5z" })))), world);

function viewOf(name) {
  if (!drawn.has(name)) drawn.set(name, drawView(views.find((view) => view.name === name)));
  return drawn.get(name);
}

function drawView(data) {
  const group = draw("g", { class: "view" });
  const view = { data, group, boxes: [], arrows: [], boxOf: new Int32Array(nodes.length).fill(-1), arrowOf: new Map() };
  const [, height] = data.size;
  const bands = new Map();
  for (const [generation, left, right] of data.columns) {
    const band = bands.get(generation) ?? [left, right];
    bands.set(generation, [Math.min(band[0], left), Math.max(band[1], right)]);
  }
  for (const [generation, [left, right]] of bands) {
    group.append(draw("g", { class: "band" },
      draw("rect", { x: left - BAND, y: -HEADING, width: right - left + 2 * BAND, height: height + HEADING + BAND, rx: 8 }),
      draw("text", { x: (left + right) / 2, y: -10 }, right - left > 90 ? `generation ${generation}` : `${generation}`)));
  }
  data.boxes.forEach((one, index) => view.boxes.push(boxFrom(one, index, view)));
  const lines = draw("g", {});
  data.arrows.forEach((one, index) => {
    const arrow = arrowFrom(one, index, view);
    view.arrows.push(arrow);
    lines.append(arrow.element);
  });
  group.append(lines, draw("g", {}, ...view.boxes.map((box) => box.element)));
  nameAll(view);
  return view;
}

function boxFrom([x, y, width, height, family, members, title, details, isCycle], index, view) {
  for (const member of members) view.boxOf[member] = index;
  const { kind } = nodes[members[0]];
  const found = members.flatMap((member) => nodes[member].problems);
  const worst = worstOf(found.filter((problem) => problem.severity !== "note"));
  const box = { index, x, y, width, height, family, members, title, details, kind, worst, found, into: [], out: [] };
  const names = ["n", kind, `f${family}`];
  if (isCycle) names.push("cycle");
  if (worst) names.push(`has-${worst}`);
  box.isCycle = !!isCycle;
  box.element = draw("g", {
    class: names.join(" "), transform: `translate(${x},${y})`, role: "button", tabindex: -1, "data-box": index,
    "data-address": members.map((member) => nodes[member].id).join(" "),
  });
  if (members.length > 1) box.element.append(shape(kind, "behind", 4, -4, width, height));
  box.element.append(shape(kind, "box", 0, 0, width, height));
  return box;
}

function shape(kind, name, x, y, width, height) {
  const rx = kind === "router" ? height / 2 : kind === "provider" ? Math.min(8, height / 3) : 0;
  return draw("rect", { class: name, x, y, width, height, rx });
}

function spoken(box) {
  const { found } = box;
  const node = nodes[box.members[0]];
  const what = box.members.length > 1 ? `${box.title.join("")}, ${box.members.length} nodes`
    : `${node.name}, ${KIND_WORDS[node.kind]}${node.kind === "provider" ? ` of ${node.api}, ${node.type}` : ""}`;
  const needs = new Set(box.members.flatMap((member) => nodes[member].into.map((edge) => edge.from)));
  const needed = new Set(box.members.flatMap((member) => nodes[member].out.map((edge) => edge.to)));
  const marks = [box.isCycle && "on a cycle", found.length && counted(found.length, "problem")].filter(Boolean);
  return [what, `generation ${node.gen}`, `needs ${needs.size}`, `needed by ${needed.size}`, ...marks].join(", ");
}

function arrowFrom([from, to, strength, isDropped, isCycle, points], index, view) {
  const a = view.boxes[from];
  const b = view.boxes[to];
  const name = isDropped ? "dropped" : strengths[strength];
  const arrow = { index, from, to, name, isCycle: !!isCycle };
  a.out.push(arrow);
  b.into.push(arrow);
  const key = `${from} ${to}`;
  if (!view.arrowOf.has(key)) view.arrowOf.set(key, []);
  view.arrowOf.get(key).push(arrow);
  arrow.element = draw("path", {
    class: `e ${isDropped ? "dropped" : `s-${name}`}${isCycle ? " cycle" : ""}`, d: lineOf(points, a, b),
    "data-edge": `${nodes[a.members[0]].id} -> ${nodes[b.members[0]].id}`,
  });
  return arrow;
}

// Joins points as the layout says: level ones straight, others by a curve that leaves and arrives level.
function lineOf(points, a, b) {
  const last = points.length - 2;
  let x = outlineOf(a, points[0], points[1]);
  let y = points[1];
  let text = `M${x},${y}`;
  for (let at = 0; at <= last; at += 2) {
    const nextX = at === last ? outlineOf(b, points[at], points[at + 1]) : points[at];
    const nextY = points[at + 1];
    if (nextX === x && nextY === y) continue;
    if (nextY === y) text += `H${nextX}`;
    else {
      const bend = nextX === x ? x + BOW : (x + nextX) / 2;
      text += `C${bend},${y} ${bend},${nextY} ${nextX},${nextY}`;
    }
    x = nextX;
    y = nextY;
  }
  return text;
}

// Returns where a line at height `y` meets the outline: a router's sides are round.
function outlineOf(box, x, y) {
  if (box.kind !== "router") return x;
  const radius = box.height / 2;
  const away = y - box.y - radius;
  const inset = radius - Math.sqrt(Math.max(0, radius * radius - away * away));
  return Math.round((x <= box.x ? x + inset : x - inset) * 10) / 10;
}

// Gives `box` its name for those who hear the page.
function name(box) {
  if (!box.element.hasAttribute("aria-label")) box.element.setAttribute("aria-label", spoken(box));
}

// Names the boxes of `view` bit by bit, when there is nothing else to do.
function nameAll(view, start = 0) {
  const wait = window.requestIdleCallback ?? ((act) => setTimeout(act, 50));
  wait(() => {
    view.boxes.slice(start, start + 200).forEach(name);
    if (start + 200 < view.boxes.length) nameAll(view, start + 200);
  });
}

// Writes the texts of `boxes`; one that a viewer's font makes too wide is fitted into its box.
function label(boxes) {
  const fresh = boxes.filter((box) => !box.isLabelled);
  const texts = [];
  for (const box of fresh) {
    box.isLabelled = true;
    name(box);
    let y = 10;
    const write = (line, look_, size) => {
      const text = draw("text", { class: look_, x: box.width / 2, y: (y + size * LEADING / 2 + size * 0.36).toFixed(1) }, line);
      y += size * LEADING;
      box.element.append(text);
      texts.push([text, box.width - 16]);
    };
    for (const line of box.title) write(line, "title", 13);
    for (const line of box.details) write(line, "detail", 11);
    box.element.append(draw("title", {}, box.members.slice(0, 12).map((member) => nodes[member].id).join("\n")));
    if (box.worst) {
      box.element.append(draw("circle", { class: "badge-dot", cx: box.width - 2, cy: 2, r: 9 }),
        draw("text", { class: "badge-text", x: box.width - 2, y: 6 }, "!"));
    }
  }
  const tooWide = texts.filter(([text, room]) => text.getComputedTextLength() > room);
  for (const [text, room] of tooWide) filled(text, { textLength: room, lengthAdjust: "spacingAndGlyphs" }, []);
}
