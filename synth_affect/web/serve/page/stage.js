// The picture: the photograph, the edited part over it, the faces to choose from, the line between before and after.

const by = id => document.getElementById(id);
const LARGEST_SCALE = 1.75, CLOSEST = 8;

export class Stage {
  /** chosen(index): another face. */
  constructor(chosen) {
    this.chosen = chosen;
    this.canvas = by("after");
    this.closer = false;
    by("closer").addEventListener("click", () => this.look(!this.closer));
    addEventListener("resize", () => this.fit());
    by("compare").addEventListener("input", () => this.compare(Number(by("compare").value)));
    const line = by("line");
    line.addEventListener("pointerdown", event => line.setPointerCapture(event.pointerId));
    line.addEventListener("pointermove", event => {
      if (!line.hasPointerCapture(event.pointerId)) return;
      const box = by("frame").getBoundingClientRect();
      this.compare(Math.min(100, Math.max(0, 100 * (event.clientX - box.left) / box.width)));
    });
  }

  async open(picture, blob) {
    this.picture = picture;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(blob);
    by("before").src = this.url;
    await by("before").decode();
    by("drop").hidden = true;
    by("view").hidden = false;
    this.face = 0;
    this.closer = false;
    this.fit();
    this.clear();
    this.compare(0);
    const buttons = picture.faces.length < 2 ? [] : picture.faces.map((box, index) => this.button(box, index));
    by("faces").replaceChildren(...buttons);
    this.choose(0);
    this.look(false);
  }

  /** The picture as large as there is room, but not much larger than it is. */
  fit() {
    if (!this.picture) return;
    const { width, height } = this.picture, narrow = innerWidth < 900;
    const room = narrow ? 0.34 * innerHeight : innerHeight - 160;
    const shown = Math.min(width * LARGEST_SCALE, Math.max(room, 160) * width / height);
    by("frame").style.setProperty("--shown", `${Math.round(shown)}px`);
    this.look(this.closer);
  }

  /** closer : the chosen face fills the frame; else the whole picture. */
  look(closer) {
    this.closer = closer;
    by("closer").setAttribute("aria-pressed", String(closer));
    const { width, height, faces } = this.picture, [left, top, right, bottom] = faces[this.face];
    const margin = 0.35 * (bottom - top);
    const scale = closer ? Math.min(CLOSEST, Math.max(1, Math.min(width / (right - left + 2 * margin), height / (bottom - top + 2 * margin)))) : 1;
    const corner = (low, high, size) => Math.min(0, Math.max(1 - scale, 0.5 - scale * (low + high) / 2 / size));
    this.view = { scale, x: corner(left, right, width), y: corner(top - 0.3 * margin, bottom, height) };
    by("sheet").style.transform = `translate(${100 * this.view.x}%, ${100 * this.view.y}%) scale(${scale})`;
    by("sheet").style.setProperty("--thin", 1 / scale);
    this.compare(Number(by("compare").value));
  }

  close() {
    by("drop").hidden = false;
    by("view").hidden = true;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
    by("before").removeAttribute("src");
    this.clear();
  }

  button([left, top, right, bottom], index) {
    const { width, height } = this.picture, pad = 0.08 * (right - left);
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Face ${index + 1} of ${this.picture.faces.length}`);
    put(button, [left - pad, top - 3 * pad, right + pad, bottom + pad], width, height);
    button.addEventListener("click", () => { this.choose(index); this.chosen(index); });
    return button;
  }

  choose(index) {
    this.face = index;
    [...by("faces").children].forEach((button, k) => button.setAttribute("aria-pressed", String(k === index)));
    this.clear();
    if (this.closer) this.look(true);
  }

  clear() {
    this.canvas.hidden = true;
    by("line").hidden = true;
  }

  show({ place, image }) {
    const { canvas } = this;
    if (canvas.width !== image.width || canvas.height !== image.height) {
      canvas.width = image.width;
      canvas.height = image.height;
    }
    canvas.getContext("2d").drawImage(image, 0, 0);
    image.close();
    put(canvas, place, this.picture.width, this.picture.height);
    this.place = place;
    canvas.hidden = false;
    by("line").hidden = false;
    this.compare(Number(by("compare").value));
  }

  /** share : per cent of the picture, from the left, that shows the photograph. */
  compare(share) {
    by("compare").value = share;
    const line = by("line");
    line.style.left = `${share}%`;
    line.querySelectorAll(".chip").forEach(chip => { chip.hidden = share < 1 || share > 99; });
    if (!this.place || this.canvas.hidden) return;
    const [left, , right] = this.place;
    const at = (share / 100 - this.view.x) / this.view.scale * this.picture.width;
    const hidden = (at - left) / (right - left);
    this.canvas.style.clipPath = `inset(0 0 0 ${100 * Math.min(1, Math.max(0, hidden))}%)`;
  }

  working(on) {
    by("working").hidden = !on;
  }
}

function put(element, [left, top, right, bottom], width, height) {
  Object.assign(element.style, {
    left: `${100 * left / width}%`, top: `${100 * top / height}%`,
    width: `${100 * (right - left) / width}%`, height: `${100 * (bottom - top) / height}%`,
  });
}
