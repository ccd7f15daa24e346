// The views as SVG. A view is drawn when it is first shown; texts when they are first legible.
const picture = byId("picture");
const panel = byId("panel");
// Sizes of text in pixels, by the letter that begins a line: what it says of the node.
const TEXTS = { t: ["title", 13], d: ["detail", 11], m: ["mark", 11], p: ["problems", 10] };
const LEADING = 1.32;
const PADDING = 7;
const BOW = 26;
const BAND = 15;
const HEADING = 28;
const ROUND = 26;
// From how many arrows on the pale ones are left out: they would only be grey.
const MANY = 1000;
const drawn = new Map();
// What else is to happen to a view that has been drawn.
const WHEN_DRAWN = [];
const world = draw("g", { id: "world" });
picture.append(draw("defs", {},
  draw("marker", { id: "head", viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" },
    draw("path", { d: "M0,0.5L10,5L0,9.5z" })),
  draw("marker", { id: "dot", viewBox: "0 0 10 10", refX: 8, refY: 5, markerWidth: 6, markerHeight: 6, markerUnits: "userSpaceOnUse" },
    draw("circle", { cx: 5, cy: 5, r: 4 }))), world);

function viewOf(name) {
  if (!drawn.has(name)) {
    const view = drawView(JSON.parse(byId(`view-${name}`).textContent));
    drawn.set(name, view);
    for (const act of WHEN_DRAWN) act(view);
  }
  return drawn.get(name);
}

function drawView(data) {
  const group = draw("g", { class: data.arrows.length > MANY ? "view many" : "view" });
  const layer = (name) => draw("g", { class: name });
  const view = {
    data, group, restLines: layer("rest-lines"), restBoxes: layer("rest-boxes"), fewLines: layer("few-lines"), fewBoxes: layer("few-boxes"),
    apartLines: new Set(), apartBoxes: new Set(), boxes: [], arrows: [], boxOf: new Int32Array(nodes.length).fill(-1), arrowOf: new Map(),
  };
  group.append(...bandsOf(data));
  data.boxes.forEach((one, index) => view.boxes.push(boxFrom(one, index, view)));
  data.arrows.forEach((one, index) => view.arrows.push(arrowFrom(one, index, view)));
  view.restLines.append(...view.arrows.map((arrow) => arrow.element));
  view.restBoxes.append(...view.boxes.map((box) => box.element));
  group.append(view.restLines, view.restBoxes, view.fewLines, view.fewBoxes);
  nameAll(view);
  return view;
}

// A band lies behind what starts together.
function bandsOf(data) {
  const bands = [];
  for (const [heading, from, to] of data.columns) {
    if (!heading) continue;
    const last = bands.at(-1);
    if (last?.[0] === heading) last[1] = [Math.min(last[1][0], from), Math.max(last[1][1], to)];
    else bands.push([heading, [from, to]]);
  }
  const [width, height] = data.size;
  return bands.map(([heading, [from, to]]) => (data.direction === "TB"
    ? draw("g", { class: "band" },
      draw("rect", { x: -BAND, y: from - BAND, width: width + 2 * BAND, height: to - from + 2 * BAND, rx: 8 }),
      draw("text", { class: "aside", x: -BAND - 10, y: (from + to) / 2 + 4 }, heading))
    : draw("g", { class: "band" },
      draw("rect", { x: from - BAND, y: -HEADING, width: to - from + 2 * BAND, height: height + HEADING + BAND, rx: 8 }),
      draw("text", { x: (from + to) / 2, y: -10 }, heading))));
}

function boxFrom([x, y, width, height, family, members, lines, traits], index, view) {
  for (const member of members) view.boxOf[member] = index;
  const isApi = view.data.name === "collapsed";
  const { kind } = nodes[members[0]];
  const box = { index, x, y, width, height, family, members, lines, kind, isApi, ...traits, into: [], out: [] };
  const names = ["n", kind, `f${family}`];
  for (const name of ["cycle", "ghost", "selected"]) if (box[name]) names.push(name);
  if (box.severity) names.push(`has-${box.severity}`);
  if (box.mark) names.push(...markClasses(box.mark[0]));
  const ids = members.map((member) => nodes[member].id);
  // No transform: with one for each box a browser would keep track of thousands of layers.
  box.element = draw("g", {
    class: names.join(" "), role: "button", tabindex: -1, "data-box": index,
    "data-address": ids.length === 1 && ids[0], "data-addresses": ids.length > 1 && JSON.stringify(ids),
  });
  if (members.length > 1) box.element.append(shape(kind, "behind", x + 4, y - 4, width, height));
  box.element.append(shape(kind, "box", x, y, width, height));
  return box;
}

function markClasses(role) {
  return [`m-${role.replace(" ", "-")}`, ...(loud.includes(role) ? ["loud"] : [])];
}

function shape(kind, name, x, y, width, height) {
  const rx = kind === "router" ? Math.min(ROUND, height / 2) : kind === "provider" ? Math.min(8, height / 3) : 0;
  return draw("rect", { class: name, x, y, width, height, rx });
}

function titleOf(box) {
  return box.lines.filter((line) => line[0] === "t").map((line) => line.slice(1)).join("");
}

function spoken(box) {
  const node = nodes[box.members[0]];
  const found = box.members.flatMap((member) => nodes[member].problems);
  const what = box.members.length > 1 ? `${titleOf(box)}, ${counted(box.members.length, "node")}`
    : `${node.name}, ${KIND_WORDS[node.kind]}${node.kind === "provider" ? ` of ${node.api}, ${node.type}` : ""}`;
  const needs = new Set(box.members.flatMap((member) => nodes[member].into.map((edge) => edge.from)));
  const needed = new Set(box.members.flatMap((member) => nodes[member].out.map((edge) => edge.to)));
  const marks = [
    box.ghost && "not in the graph", box.cycle && "on a cycle", box.mark && `${camera.view?.data.meanings[box.mark[0]] ?? box.mark[0]} ${box.mark[1]}`.trim(),
    found.length && counted(found.length, "problem"),
  ].filter(Boolean);
  return [what, node.gen !== undefined && `generation ${node.gen}`, `needs ${needs.size}`, `needed by ${needed.size}`, ...marks].filter(Boolean).join(", ");
}

function arrowFrom([from, to, strength, points, traits], index, view) {
  const a = view.boxes[from];
  const b = view.boxes[to];
  const name = traits.dropped ? "dropped" : strengths[strength];
  const arrow = { index, from, to, name, ...traits };
  a.out.push(arrow);
  b.into.push(arrow);
  const key = `${from} ${to}`;
  if (!view.arrowOf.has(key)) view.arrowOf.set(key, []);
  view.arrowOf.get(key).push(arrow);
  const names = ["e", traits.dropped ? "dropped" : `s-${name}`];
  for (const one of ["cycle", "ghost"]) if (arrow[one]) names.push(one);
  if (arrow.mark) names.push(...markClasses(arrow.mark));
  arrow.element = draw("path", {
    class: names.join(" "), d: lineOf(points, a, b, view.data.direction === "TB"), "data-edge": `${nodes[a.members[0]].id} -> ${nodes[b.members[0]].id}`,
  });
  return arrow;
}

// Joins points as the layout says: level ones straight, others by a curve that leaves and arrives level.
// From top to bottom it is the same with x and y exchanged.
function lineOf(points, a, b, isDownward) {
  const [along, across] = isDownward ? [1, 0] : [0, 1];
  const write = (x, y) => (isDownward ? `${y},${x}` : `${x},${y}`);
  const last = points.length - 2;
  let x = outlineOf(a, points[along], points[across], isDownward);
  let y = points[across];
  let text = `M${write(x, y)}`;
  for (let at = 0; at <= last; at += 2) {
    const nextY = points[at + across];
    const nextX = at === last ? outlineOf(b, points[at + along], nextY, isDownward) : points[at + along];
    if (nextX === x && nextY === y) continue;
    if (nextY === y) text += `L${write(nextX, nextY)}`;
    else {
      const bend = points[at + along] === x ? x + BOW : (x + nextX) / 2;
      text += `C${write(bend, y)} ${write(bend, nextY)} ${write(nextX, nextY)}`;
    }
    x = nextX;
    y = nextY;
  }
  return text;
}

// Returns where a line meets the outline: a router's corners are round.
function outlineOf(box, x, y, isDownward) {
  if (box.kind !== "router") return x;
  const radius = Math.min(ROUND, box.height / 2);
  const [start, size, near] = isDownward ? [box.x, box.width, box.y] : [box.y, box.height, box.x];
  const away = Math.max(0, radius - (y - start), radius - (start + size - y));
  const inset = radius - Math.sqrt(Math.max(0, radius * radius - away * away));
  return Math.round((x <= near ? x + inset : x - inset) * 10) / 10;
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

// Writes the texts of `boxes`, or their titles only, which are legible from further away.
function label(boxes, isBrief) {
  for (const box of boxes) {
    if (!box.titles) {
      name(box);
      box.titles = draw("g", { class: "titles" });
      box.element.append(box.titles, draw("title", {}, box.members.slice(0, 12).map((member) => nodes[member].id).join("\n")));
      box.below = write(box, box.lines.filter((line) => line[0] === "t"), box.y + PADDING, box.titles);
    }
    if (!isBrief && !box.isLabelled) {
      box.isLabelled = true;
      write(box, box.lines.filter((line) => line[0] !== "t"), box.below, box.element);
    }
  }
}

// Writes lines from `y` on and returns where they end.
function write(box, lines, y, target) {
  let below = y;
  for (const line of lines) {
    const [look_, size] = TEXTS[line[0]];
    const height = size * LEADING;
    const text = draw("text", { class: look_, x: box.x + box.width / 2, y: (below + height / 2 + size * 0.36).toFixed(1) }, line.slice(1));
    if (line[0] === "p") {
      const width = Math.min(box.width - 8, line.length * size * 0.72 + 8);
      target.append(draw("rect", { class: "badge", x: box.x + (box.width - width) / 2, y: below, width, height, rx: height / 2 }));
    }
    target.append(text);
    if (!written.length) setTimeout(fitTexts);
    written.push([text, box]);
    below += height;
  }
  return below;
}

// Fits a text that a viewer's font makes too wide into its box, and finds out how much a title can
// grow where it stands alone. Measuring lays everything out, so it comes after the first look.
const written = [];
function fitTexts() {
  const measured = written.splice(0).map(([text, box]) => [text, box, text.getComputedTextLength()]);
  const widest = new Map();
  for (const [text, box, width] of measured) {
    const room = box.width - 14;
    if (width > room) filled(text, { textLength: room, lengthAdjust: "spacingAndGlyphs" }, []);
    if (text.parentNode === box.titles) widest.set(box, Math.max(widest.get(box) ?? 1, Math.min(width, room)));
  }
  for (const [box, width] of widest) {
    const height = box.below - PADDING - box.y;
    const grow = Math.min(1.6, (box.width - 12) / width, (box.height - 8) / height);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    box.titles.style.setProperty("--alone", `translate(${x}px,${y}px) scale(${grow.toFixed(3)}) translate(${-x}px,${-(box.y + PADDING + height / 2)}px)`);
  }
}
