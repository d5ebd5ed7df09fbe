// The valence-arousal plane: cells, words, a point that is dragged, a path that is drawn.

const LOW = 30, SIDE = 380, STEP = 0.1, FINE = 0.02;
const make = (name, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const x = valence => LOW + SIDE * (valence + 1) / 2;
const y = arousal => LOW + SIDE * (1 - arousal) / 2;
const clamp = value => Math.min(1, Math.max(-1, Math.round(value * 1000) / 1000)) + 0;

export class Plane {
  /** moved(valence, arousal, settled): the point; drawn(corners, settled): the path, while `drawing` is on. */
  constructor(svg, { moved, drawn }) {
    Object.assign(this, { svg, moved, drawn, drawing: false, point: [0, 0], trail: [] });
    svg.addEventListener("pointerdown", event => {
      if (event.button !== 0) return;
      svg.setPointerCapture(event.pointerId);
      this.trail = [];
      this.pointed(event, false);
    });
    svg.addEventListener("pointermove", event => { if (svg.hasPointerCapture(event.pointerId)) this.pointed(event, false); });
    svg.addEventListener("pointerup", event => this.pointed(event, true));
    svg.addEventListener("pointercancel", event => this.pointed(event, true));
    svg.addEventListener("keydown", event => this.typed(event));
  }

  show(about) {
    this.about = about;
    const n = about.cells_per_side, side = SIDE / n, most = Math.max(...about.counts);
    const hatch = make("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
    hatch.append(make("path", { d: "M0 0V6" }));
    const defs = make("defs", {});
    const clip = make("clipPath", { id: "inside" });
    clip.append(make("rect", { x: LOW, y: LOW, width: SIDE, height: SIDE, rx: 8 }));
    defs.append(hatch, clip);
    const cells = make("g", { class: "cells", "clip-path": "url(#inside)" }), counts = make("g", { class: "counts" });
    about.counts.forEach((count, k) => {
      const left = LOW + (k % n) * side, top = LOW + (n - 1 - Math.floor(k / n)) * side;
      const place = { x: left, y: top, width: side - 1, height: side - 1 };
      cells.append(make("rect", { ...place, "fill-opacity": (0.05 + 0.38 * Math.sqrt(count / most)).toFixed(3) }));
      if (about.thin[k]) cells.append(make("rect", { ...place, class: "thin" }));
      counts.append(make("text", { x: left + side / 2, y: top + side / 2 + 3, "text-anchor": "middle" }, count));
    });
    const words = make("g", { class: "words" });
    for (const name of about.shown) {
      const [valence, arousal] = about.emotions[name];
      words.append(make("circle", { cx: x(valence), cy: y(arousal), r: 2 }));
      words.append(make("text", { x: x(valence), y: y(arousal) - 6, "text-anchor": "middle" }, name));
    }
    const axes = make("g", { "text-anchor": "middle", "font-size": 13 });
    axes.append(
      make("text", { x: 220, y: 20 }, "aroused"), make("text", { x: 220, y: 430 }, "calm"),
      make("text", { transform: "translate(18 220) rotate(-90)" }, "unpleasant"),
      make("text", { transform: "translate(422 220) rotate(90)" }, "pleasant"));
    this.counts = counts;
    this.words = words;
    this.way = make("g", {});
    this.said = make("g", {});
    this.mark = make("g", { id: "mark" });
    this.mark.append(make("circle", { r: 18, class: "halo" }), make("circle", { r: 9, class: "point" }));
    this.svg.replaceChildren(defs, cells,
      make("path", { class: "axes", d: `M${LOW} 220H${LOW + SIDE}M220 ${LOW}V${LOW + SIDE}` }),
      make("rect", { class: "edge", x: LOW, y: LOW, width: SIDE, height: SIDE, rx: 8 }),
      words, counts, axes, this.way, this.said, this.mark);
    this.showCounts(false);
    this.put(0, 0);
  }

  showCounts(on) {
    this.counts.toggleAttribute("hidden", !on);
    this.counts.style.display = on ? "" : "none";
    this.words.style.display = on ? "none" : "";
  }

  put(valence, arousal) {
    this.point = [clamp(valence), clamp(arousal)];
    this.mark.setAttribute("transform", `translate(${x(this.point[0])} ${y(this.point[1])})`);
  }

  /** What judges said: [[valence, arousal, name], ...]. */
  showReadings(readings) {
    this.said.replaceChildren(...readings.map(([valence, arousal, name]) => {
      const mark = make("path", { class: "said", d: "M0-7L7 0L0 7L-7 0Z", transform: `translate(${x(valence)} ${y(arousal)})` });
      mark.append(make("title", {}, name));
      return mark;
    }));
  }

  showWay(corners) {
    const places = corners.map(([valence, arousal]) => `${x(valence)} ${y(arousal)}`);
    this.way.replaceChildren(...(places.length > 1 ? [make("path", { class: "way", d: "M" + places.join("L") })] : []),
      ...corners.map(([valence, arousal]) => make("circle", { class: "corner", cx: x(valence), cy: y(arousal), r: 4 })));
  }

  /** What the grid knows of the cell under the point. */
  cell() {
    const n = this.about.cells_per_side;
    const index = value => Math.min(n - 1, Math.floor((value + 1) * n / 2));
    const k = index(this.point[1]) * n + index(this.point[0]);
    return { count: this.about.counts[k], thin: this.about.thin[k] };
  }

  pointed(event, settled) {
    const box = this.svg.getBoundingClientRect();
    const place = [clamp(2 * ((event.clientX - box.left) * 440 / box.width - LOW) / SIDE - 1),
                   clamp(1 - 2 * ((event.clientY - box.top) * 440 / box.height - LOW) / SIDE)];
    if (!this.drawing) {
      this.put(...place);
      this.moved(...this.point, settled);
      return;
    }
    const last = this.trail.at(-1);
    if (!last || Math.hypot(place[0] - last[0], place[1] - last[1]) > 0.015) this.trail.push(place);
    this.put(...place);
    this.showWay(settled ? simplified(this.trail, 0.04) : this.trail);
    this.drawn(settled ? simplified(this.trail, 0.04) : this.trail, settled);
  }

  typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const step = event.shiftKey ? FINE : STEP;
    if (event.key in moves) {
      this.put(this.point[0] + step * moves[event.key][0], this.point[1] + step * moves[event.key][1]);
    } else if (event.key === "0") {
      this.put(0, 0);
    } else {
      return;
    }
    event.preventDefault();
    this.moved(...this.point, "soon");
  }
}

/** Ramer, Douglas and Peucker: fewer corners, none further than `tolerance` from the trail. */
function simplified(trail, tolerance) {
  if (trail.length < 3) return trail;
  const [a, b] = [trail[0], trail.at(-1)];
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  let far = 0, at = 0;
  trail.forEach((p, k) => {
    const d = length < 1e-9 ? Math.hypot(p[0] - a[0], p[1] - a[1])
      : Math.abs((b[0] - a[0]) * (a[1] - p[1]) - (a[0] - p[0]) * (b[1] - a[1])) / length;
    if (d > far) [far, at] = [d, k];
  });
  if (far <= tolerance) return [a, b];
  return [...simplified(trail.slice(0, at + 1), tolerance), ...simplified(trail.slice(at), tolerance).slice(1)];
}

/** Where a way through `corners` is at `share` of its time, as the server goes it but for its smooth corners. */
export function along(corners, share) {
  const steps = corners.slice(1).map((p, k) => Math.max(Math.hypot(p[0] - corners[k][0], p[1] - corners[k][1]), 1e-3));
  const eased = share * share * (3 - 2 * share);
  let left = eased * steps.reduce((a, b) => a + b, 0);
  for (let k = 0; k < steps.length; k++) {
    if (left <= steps[k] || k === steps.length - 1) {
      const t = Math.min(1, left / steps[k]);
      return [0, 1].map(i => corners[k][i] + t * (corners[k + 1][i] - corners[k][i]));
    }
    left -= steps[k];
  }
  return corners[0];
}
