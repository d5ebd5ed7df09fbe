// What the controls say, and when the server is asked.

import { Plane, along } from "/plane.js";
import * as server from "/server.js";
import { Stage } from "/stage.js";

const by = id => document.getElementById(id);
const SETTLED_MS = 350, ALIVE_MS = 60000;
const DIRECTIONS = { smile: ["valence", 1], "lip corners": ["valence", 1], "brows drawn down": ["valence", -1], "jaw open": ["arousal", 1],
  "eyes wide": ["arousal", 1], "eyes closed": ["arousal", -1], "brow height": ["arousal", 1] };
let about = null, given = null, face = 0, corners = [], playing = 0, soon = 0;

// ---- what is asked for

function asked() {
  const grid = by("grid").value, sample = by("sample").value;
  const all = {
    face, valence: plane.point[0], arousal: plane.point[1], category: by("category").value,
    intensity: Number(by("intensity").value), wrinkles: Number(by("wrinkles").value),
    input_expression: by("input_expression").value, head: by("head").value, grid, units: units(),
  };
  if (grid !== "prototypes") Object.assign(all, { lookup: by("lookup").value, statistic: by("statistic").value,
    sample: sample === "" ? null : Number(sample) });
  return all;
}

function units() {
  const set = {};
  for (const slider of by("sliders").querySelectorAll("input")) if (Number(slider.value) > 0) set[slider.name] = Number(slider.value);
  return set;
}

// ---- drawing: one request at a time; of those that come meanwhile the latest is next

let busy = null, next = null, reading = null;

function want(full) {
  next = { full };
  reading?.abort();
  if (busy && busy.full) busy.stop.abort();  // a preview does not wait for a large picture
  if (!busy) pump();
}

async function pump() {
  while (next) {
    const { full } = next;
    next = null;
    busy = { full, stop: new AbortController() };
    if (full) stage.working(true);
    const { signal } = busy.stop;
    try {
      const drawn = await server.draw(asked(), full, signal);
      if (signal.aborted) continue;
      stage.show(drawn);
      say("");
      if (full && !next) read();
    } catch (error) {
      failed(error);
    } finally {
      busy = null;
      stage.working(false);
    }
  }
}

/** Nothing of what was asked before is shown any more. */
function halt() {
  clearTimeout(soon);
  stop();
  next = null;
  busy?.stop.abort();
  reading?.abort();
}

async function read() {
  reading = new AbortController();
  try {
    const { verification, command } = await server.read(asked(), reading.signal);
    by("command").textContent = command;
    showReadings(verification);
  } catch (error) {
    failed(error);
  }
}

function showReadings(found) {
  const [valence, arousal] = plane.point;
  by("read").hidden = false;
  by("read").classList.remove("old");
  by("asked").textContent = `Asked: valence ${signed(valence)}, arousal ${signed(arousal)}.`;
  if (!found.found) {
    by("asked").textContent += " No face is seen in the result.";
    by("readings").replaceChildren();
    return;
  }
  const rows = found.affect.map(said => row(`${said.judge}: valence, arousal`, `${signed(said.input_valence)} ${signed(said.input_arousal)} → ${signed(said.valence)} ${signed(said.arousal)}`, "good"));
  for (const [name, value] of Object.entries(found.readings)) {
    const change = found.changes[name], [dimension, sign] = DIRECTIONS[name] || ["", 0];
    const wanted = sign * Math.sign(dimension === "valence" ? valence : arousal);
    const arrow = wanted > 0 ? "↑" : wanted < 0 ? "↓" : "·";
    const moved = Math.abs(change) < 0.005 ? "none" : Math.sign(change) === wanted ? "good" : "";
    rows.push(row(`${name} ${arrow}`, `${(value - change).toFixed(2)} → ${value.toFixed(2)}`, moved));
  }
  for (const same of found.identity) rows.push(row(`${same.judge}: likeness`, Object.values(same)[1], ""));
  by("readings").replaceChildren(...rows);
  plane.showReadings(found.affect.map(said => [said.valence, said.arousal, said.judge]));
}

function row(name, text, kind) {
  const line = document.createElement("tr");
  line.append(document.createElement("td"), document.createElement("td"));
  line.firstChild.textContent = name;
  line.lastChild.textContent = text;
  line.lastChild.className = kind;
  return line;
}

const signed = value => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);

// ---- the point

function moved(valence, arousal, settled) {
  stop();
  by("valence").value = valence.toFixed(2);
  by("arousal").value = arousal.toFixed(2);
  by("category").value = "";
  describeCell();
  ask(settled);
}

/** settled : true for full size now, "soon" for full size when nothing follows, false for a preview alone. */
function ask(settled) {
  clearTimeout(soon);
  plane.showReadings([]);
  by("read").classList.add("old");
  want(settled === true);
  if (settled === "soon") soon = setTimeout(() => want(true), SETTLED_MS);
}

function describeCell() {
  const { count, thin } = plane.cell();
  by("cell").textContent = `${count.toLocaleString("en")} frames of the grid in this cell` +
    (thin ? ": too few, or of faces at rest; filled from the cells around." : ".");
}

// ---- the path

function drawn(way, settled) {
  stop();
  corners = way;
  passing();
  describeWay();
  if (settled && corners.length > 1) play(); else ask(false);
}

/** The point is on the path: its place alone says what is meant, as in the file that is made of it. */
function passing() {
  by("valence").value = plane.point[0].toFixed(2);
  by("arousal").value = plane.point[1].toFixed(2);
  by("category").value = "";
  describeCell();
}

function drawPath(on) {
  plane.drawing = on;
  by("draw").setAttribute("aria-pressed", String(on));
  by("path").hidden = !on;
  describeWay();
  if (!on) plane.showWay([]);
}

function describeWay() {
  const enough = corners.length > 1;
  by("way").textContent = corners.length ? `${corners.length} point${enough ? "s" : ""}.` : "Draw in the plane, or add the point where the mark is.";
  by("play").disabled = !enough;
  for (const button of document.querySelectorAll("[data-way]")) button.disabled = !enough || (button.dataset.make === "mp4" && !about.mp4);
  plane.showWay(corners);
}

function play() {
  stop();
  const start = performance.now(), length = 1000 * Number(by("seconds").value);
  by("play").textContent = "Stop";
  const step = now => {
    const share = Math.min(1, (now - start) / length);
    plane.put(...along(corners, share));
    passing();
    ask(share >= 1);
    if (share < 1) playing = requestAnimationFrame(step); else stop();
  };
  playing = requestAnimationFrame(step);
}

function stop() {
  cancelAnimationFrame(playing);
  playing = 0;
  by("play").textContent = "Play";
}

// ---- files

let making = null;

async function make(kind) {
  making?.abort();
  making = new AbortController();
  const [bar, text] = by("making").children, mine = making;
  by("making").hidden = false;
  bar.removeAttribute("value");
  text.textContent = "";
  const tell = (done, of) => {
    if (!of) return;
    bar.value = done / of;
    text.textContent = `${done} of ${of}`;
  };
  try {
    const way = { through: corners, seconds: Number(by("seconds").value), fps: Number(by("fps").value) };
    const { name, content } = await server.make(kind, { ...asked(), ...way }, tell, mine.signal);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    say("");
  } catch (error) {
    failed(error);
  } finally {
    if (making === mine) by("making").hidden = true;
  }
}

// ---- the picture

async function open(getPicture) {
  document.body.dataset.state = given ? "ready" : "opening";
  halt();
  try {
    const picture = await getPicture();
    await stage.open(picture, await server.photograph());
    given = picture;
    face = 0;
    drawPath(false);
    document.body.dataset.state = "ready";
    by("panel").hidden = by("again").hidden = false;
    by("read").hidden = true;
    reset();
    say("");
    by("plane").focus({ preventScroll: true, focusVisible: false });
  } catch (error) {
    document.body.dataset.state = given ? "ready" : "empty";
    failed(error);
  }
}

function take(file, name) {
  if (!file) return;
  if (file.size > about.megabytes * (1 << 20)) {
    say(`${name} is larger than the ${about.megabytes} MB that this page takes.`);
    return;
  }
  open(() => server.open(file, name));
}

function leave() {
  server.end();
  given = null;
  halt();
  stage.close();
  by("panel").hidden = by("again").hidden = true;
  document.body.dataset.state = "empty";
}

function reset() {
  halt();
  for (const [id, value] of Object.entries({ intensity: 1, wrinkles: 1, grid: "prototypes", input_expression: "replace",
    lookup: "continuous", statistic: "typical", sample: "", head: about.heads[0], category: "" })) by(id).value = value;
  for (const slider of by("sliders").querySelectorAll("input")) slider.value = 0;
  corners = [];
  plane.put(0, 0);
  by("valence").value = by("arousal").value = "0.00";
  stage.clear();
  plane.showReadings([]);
  by("read").hidden = true;
  by("command").textContent = "";
  describeWay();
  by("cell").textContent = "Drag the point, or move it with the arrow keys.";
  describeControls();
}

function describeControls() {
  for (const output of document.querySelectorAll("output")) output.textContent = `${Math.round(100 * Number(by(output.htmlFor[0]).value))} %`;
  for (const label of document.querySelectorAll("[data-grid]")) label.hidden = by("grid").value === "prototypes";
  const sample = Math.floor(Number(by("sample").value));
  by("sample").value = by("statistic").value === "mean" || by("sample").value === "" || !(sample >= 0 && sample < 2 ** 53) ? "" : sample;
  by("sample").disabled = by("statistic").value === "mean";
  const set = Object.keys(units()).length;
  by("units_set").textContent = set ? `· ${set} set` : "";
}

async function webcam() {
  const dialog = by("webcam"), video = dialog.querySelector("video");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 960 }, facingMode: "user" } });
  } catch {
    say("The camera cannot be used: the browser does not allow it here, or there is none.");
    return;
  }
  video.srcObject = stream;
  await video.play();
  dialog.showModal();
  const finish = async event => {
    const taken = event.target.value === "take";
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    if (taken) canvas.getContext("2d").drawImage(video, 0, 0);
    dialog.close();
    if (taken) canvas.toBlob(blob => take(blob, "camera.jpg"), "image/jpeg", 0.95);
  };
  const buttons = dialog.querySelectorAll("button");
  buttons.forEach(button => { button.onclick = finish; });
  dialog.onclose = () => { stream.getTracks().forEach(track => track.stop()); video.srcObject = null; };
}

// ---- action units

/** A slider a unit; with `sides`, one for either side of those that have two. */
function buildUnits() {
  const sides = by("sides").checked;
  const rows = about.units.flatMap(unit => {
    if (unit.sides === "either" || (sides && unit.sides === "both")) return ["L", "R"].map(side => [unit.name + side, `${unit.meaning}, ${side === "L" ? "left" : "right"}`]);
    return [[unit.name, unit.meaning]];
  });
  by("sliders").replaceChildren(...rows.flatMap(([name, meaning]) => {
    const label = document.createElement("label"), slider = document.createElement("input");
    label.className = "slider";
    label.htmlFor = slider.id = "unit_" + name;
    label.append(document.createElement("span"), meaning);
    label.firstChild.textContent = name;
    Object.assign(slider, { type: "range", name, min: 0, max: 1, step: 0.05, value: 0 });
    return [label, slider];
  }));
  describeControls();
}

// ---- words

function say(text) {
  by("problem").hidden = !text;
  by("problem").firstChild.textContent = text;
}

function failed(error) {
  if (error instanceof server.Superseded || error.name === "AbortError") return;
  if (error instanceof server.Gone) leave();
  say(error.message);
}

// ---- wiring

const stage = new Stage(index => { face = index; ask(true); });
const plane = new Plane(by("plane"), { moved, drawn });

for (const id of ["intensity", "wrinkles"]) {
  by(id).addEventListener("input", () => { describeControls(); ask(false); });
  by(id).addEventListener("change", () => ask(true));
}
for (const id of ["grid", "lookup", "statistic", "sample", "input_expression", "head"])
  by(id).addEventListener("change", () => { describeControls(); ask(true); });
for (const id of ["valence", "arousal"]) by(id).addEventListener("change", () => {
  const said = Number(by(id).value);
  const value = Number.isFinite(said) ? said : 0;
  plane.put(id === "valence" ? value : plane.point[0], id === "arousal" ? value : plane.point[1]);
  moved(...plane.point, true);
});
by("category").addEventListener("change", () => {
  const name = by("category").value;
  if (name) {
    plane.put(...about.emotions[name]);
    moved(...plane.point, false);
    by("category").value = name;
  }
  ask(true);
});
by("draw").addEventListener("click", () => drawPath(!plane.drawing));
by("counts").addEventListener("click", () => {
  const on = by("counts").getAttribute("aria-pressed") !== "true";
  by("counts").setAttribute("aria-pressed", String(on));
  plane.showCounts(on);
});
by("add").addEventListener("click", () => { corners = [...corners, [...plane.point]]; describeWay(); });
by("clear").addEventListener("click", () => { stop(); corners = []; describeWay(); });
by("play").addEventListener("click", () => { if (playing) { stop(); ask(true); } else play(); });
by("reset").addEventListener("click", reset);
by("units_reset").addEventListener("click", () => {
  for (const slider of by("sliders").querySelectorAll("input")) slider.value = 0;
  describeControls();
  ask(true);
});
by("sliders").addEventListener("input", () => { describeControls(); ask(false); });
by("sliders").addEventListener("change", () => ask(true));
by("sides").addEventListener("change", () => { const any = Object.keys(units()).length; buildUnits(); if (any) ask(true); });
for (const button of document.querySelectorAll("[data-make]")) button.addEventListener("click", () => make(button.dataset.make));
by("stop").addEventListener("click", () => making?.abort());
by("file").addEventListener("change", () => { const [file] = by("file").files; take(file, file?.name); by("file").value = ""; });
by("camera").addEventListener("click", webcam);
by("example").addEventListener("click", () => open(server.openExample));
by("again").addEventListener("click", leave);
by("problem").lastElementChild.addEventListener("click", () => say(""));
by("theme").addEventListener("click", () => {
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
});
addEventListener("dragover", event => { event.preventDefault(); by("drop").classList.add("over"); });
addEventListener("dragleave", () => by("drop").classList.remove("over"));
addEventListener("drop", event => {
  event.preventDefault();
  by("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) take(file, file.name); else say("That is no file. Save the picture first, then drop its file here.");
});
addEventListener("paste", event => {
  const file = [...event.clipboardData.files].find(each => each.type.startsWith("image/"));
  if (file) { event.preventDefault(); take(file, file.name || "pasted.png"); }
});
addEventListener("pagehide", server.end);
addEventListener("pageshow", event => { if (event.persisted) leave(); });
setInterval(() => server.stay()?.catch(failed), ALIVE_MS);

async function begin() {
  const said = await server.setting();
  about = { ...said, ...said.plane };
  plane.show(said.plane);
  by("head").replaceChildren(...said.heads.map(name => new Option(name, name)));
  for (const name of Object.keys(said.plane.emotions).sort()) by("category").append(new Option(name, name));
  if (!said.mp4) document.querySelector("[data-make=mp4]").title = "needs the extra: pip install \"synth-affect[web]\"";
  buildUnits();
  reset();
  document.body.dataset.loaded = "yes";
}
begin().catch(failed);
