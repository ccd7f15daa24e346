// Where the picture is looked at from: pan, zoom, fit, and what is legible from there.
// From which scale on titles can be read, where they stand alone, and from which on all texts.
const LEGIBLE = 0.26 / Math.min(devicePixelRatio || 1, 2);
const PLAIN = 0.6;
const FAR = 0.13;
const READABLE = 0.5;
const SPECK = 0.15;
const CLOSEST = 4;
let beforePrint;
const camera = { x: 0, y: 0, scale: 1, view: undefined, request: 0, frame: undefined, hasMoved: false };

// The size of the picture is kept: asking for it after changes would lay out everything at once.
function measure() {
  const { left, top, width, height } = picture.getBoundingClientRect();
  camera.frame = { left, top, width: width || 800, height: height || 600 };
}

// The part of the picture that the side panel leaves free.
function stageSize() {
  const { left, top, width, height } = camera.frame;
  if (panel.hidden) return { width, height };
  const cover = panel.getBoundingClientRect();
  if (cover.width < width) return { width: Math.max(width / 2, cover.left - left), height };
  return { width, height: Math.max(height / 3, cover.top - top) };
}

function extentOf(view) {
  const [width, height] = view.data.size;
  const left = view.data.direction === "TB" ? BAND + 100 : BAND;
  return { x: -left, y: -HEADING, width: width + left + BAND, height: height + HEADING + BAND };
}

function fit() {
  const extent = extentOf(camera.view);
  const size = stageSize();
  const top = 56;
  const side = 14;
  const room = { width: size.width - 2 * side, height: size.height - 2 * top };
  camera.scale = Math.min(Math.max(Math.min(room.width / extent.width, room.height / extent.height), 0.01), 1.5);
  camera.x = side + (room.width - extent.width * camera.scale) / 2 - extent.x * camera.scale;
  camera.y = top + (room.height - extent.height * camera.scale) / 2 - extent.y * camera.scale;
  camera.hasMoved = false;
  look();
}

// Where all of a view would be a speck, or the window is narrow, it begins close enough to read.
function begin() {
  fit();
  const least = camera.frame.width < 720 ? READABLE : SPECK;
  if (camera.scale >= least) return;
  zoomBy(READABLE / camera.scale);
  const extent = extentOf(camera.view);
  if (extent.width * READABLE > camera.frame.width) camera.x = 14 - extent.x * READABLE;
}

function zoomBy(factor, at) {
  const size = stageSize();
  const x = at ? at.x : size.width / 2;
  const y = at ? at.y : size.height / 2;
  const scale = Math.min(CLOSEST, Math.max(0.01, camera.scale * factor));
  camera.x = x - (x - camera.x) * scale / camera.scale;
  camera.y = y - (y - camera.y) * scale / camera.scale;
  camera.scale = scale;
  camera.hasMoved = true;
  look();
}

function panBy(x, y) {
  camera.x += x;
  camera.y += y;
  camera.hasMoved = true;
  look();
}

// Moves, and zooms out, as little as it takes to see all `boxes` beside the panel; zooms in to
// `closest` as far as there is room for them.
function bringIntoSight(boxes, closest = 0.7) {
  const size = stageSize();
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const width = Math.max(...boxes.map((box) => box.x + box.width)) - x;
  const height = Math.max(...boxes.map((box) => box.y + box.height)) - y;
  const most = Math.min((size.width - 80) / width, (size.height - 172) / height);
  const scale = Math.max(Math.min(Math.max(camera.scale, closest), most), 0.01);
  if (scale !== camera.scale) {
    camera.scale = scale;
    camera.x = size.width / 2 - (x + width / 2) * scale;
    camera.y = size.height / 2 - (y + height / 2) * scale;
  }
  const left = camera.x + x * scale;
  const top = camera.y + y * scale;
  const aside = (low, high, least, most_) => (low < least ? least + 30 - low : high > most_ ? most_ - 30 - high : 0);
  camera.x += aside(left, left + width * scale, 10, size.width - 10);
  camera.y += aside(top, top + height * scale, 56, size.height - 56);
  look();
}

function look() {
  if (!camera.request) camera.request = requestAnimationFrame(lookNow);
}

function lookNow() {
  cancelAnimationFrame(camera.request);
  camera.request = 0;
  world.setAttribute("transform", `translate(${camera.x.toFixed(2)},${camera.y.toFixed(2)}) scale(${camera.scale.toFixed(4)})`);
  picture.classList.toggle("far", camera.scale < LEGIBLE);
  picture.classList.toggle("farther", camera.scale < FAR);
  picture.classList.toggle("brief", camera.scale < PLAIN);
  if (camera.scale >= LEGIBLE && picture.clientWidth) label(camera.view.boxes.filter(isInSight), camera.scale < PLAIN);
}

function isInSight(box) {
  const { width, height } = camera.frame;
  const left = camera.x + box.x * camera.scale;
  const top = camera.y + box.y * camera.scale;
  return left < width + 200 && top < height + 200 && left + box.width * camera.scale > -200 && top + box.height * camera.scale > -200;
}

function pointOf(event) {
  return { x: event.clientX - camera.frame.left, y: event.clientY - camera.frame.top };
}

// One finger or the mouse pans, two fingers zoom; what moved was no click.
const touching = new Map();
let travelled = 0;
picture.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 16 : 1;
  zoomBy(Math.exp(-Math.max(-240, Math.min(240, event.deltaY * lines)) * (event.ctrlKey ? 0.01 : 0.002)), pointOf(event));
}, { passive: false });
picture.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  touching.set(event.pointerId, pointOf(event));
  if (touching.size === 1) travelled = 0;
});
window.addEventListener("pointermove", (event) => {
  const before = touching.get(event.pointerId);
  if (!before) return;
  const now = pointOf(event);
  const others = [...touching].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
  travelled += Math.hypot(now.x - before.x, now.y - before.y);
  touching.set(event.pointerId, now);
  if (others.length) {
    const [other] = others;
    const factor = Math.hypot(now.x - other.x, now.y - other.y) / (Math.hypot(before.x - other.x, before.y - other.y) || 1);
    zoomBy(factor, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  } else if (travelled > 4) panBy(now.x - before.x, now.y - before.y);
});
for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, (event) => touching.delete(event.pointerId));
new ResizeObserver(() => {
  if (!camera.view || beforePrint || !picture.clientWidth) return;
  measure();
  if (!camera.hasMoved) fit();
}).observe(picture);

// Paper shows all of the view, however it was looked at.
function toPaper() {
  if (beforePrint) return;
  beforePrint = [...picture.classList];
  cancelAnimationFrame(camera.request);
  camera.request = 0;
  label(camera.view.boxes);
  fitTexts();
  const extent = extentOf(camera.view);
  picture.setAttribute("viewBox", `${extent.x} ${extent.y} ${extent.width} ${extent.height}`);
  world.removeAttribute("transform");
  picture.classList.remove("far", "farther", "brief");
}
function toScreen() {
  if (!beforePrint) return;
  beforePrint = undefined;
  picture.removeAttribute("viewBox");
  lookNow();
}
window.addEventListener("beforeprint", toPaper);
window.addEventListener("afterprint", toScreen);
matchMedia("print").addEventListener("change", (event) => (event.matches ? toPaper() : toScreen()));
