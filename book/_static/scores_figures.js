// The four figures of the page "Bring your scores": plain SVG, drawn from what scores_numbers.js
// returns. A figure is drawn once for a label; only its marks move with the threshold.
"use strict";

window.dclFigures = (() => {
  const WIDTH = 360, HIGH = 300;
  const BOX = { left: 46, right: 348, top: 12, bottom: 254 };
  const NEAR = 0.3; // of a unit of the drawing: points closer than that are one

  function make(tag, attributes, parent, content = null) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (content !== null) element.textContent = content;
    return parent.appendChild(element);
  }

  const logit = (p) => Math.log(p / (1 - p));
  const percent = (share) => `${Math.round(100 * share)}`;
  const SHARES = [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, words: percent(at) }));

  // Ticks of a probability on an axis of log-odds: as many as have room.
  const NICE = [0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 0.9999];
  function oddsTicks([low, high], room = 0.1) {
    const inside = NICE.map((p) => ({ at: logit(p), words: String(p) }))
      .filter(({ at }) => at >= low && at <= high);
    const kept = [];
    for (const tick of inside.sort((a, b) => Math.abs(a.at) - Math.abs(b.at))) { // 0.5 first
      if (kept.every((other) => Math.abs(other.at - tick.at) >= room * (high - low))) kept.push(tick);
    }
    return kept.sort((a, b) => a.at - b.at);
  }

  // An empty figure: axes, grid and names. Returns the functions that draw into it.
  function axes(svg, { x = [0, 1], y = [0, 1], xTicks = SHARES, yTicks = SHARES, xName, yName }) {
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HIGH}`);
    const atX = (v) => BOX.left + ((v - x[0]) / (x[1] - x[0])) * (BOX.right - BOX.left);
    const atY = (v) => BOX.bottom - ((v - y[0]) / (y[1] - y[0])) * (BOX.bottom - BOX.top);
    for (const { at, words } of yTicks) {
      make("path", { class: "grid", d: `M${BOX.left} ${atY(at)}H${BOX.right}` }, svg);
      make("text", { x: BOX.left - 7, y: atY(at) + 4, "text-anchor": "end" }, svg, words);
    }
    for (const { at, words } of xTicks) {
      make("path", { class: "grid", d: `M${atX(at)} ${BOX.top}V${BOX.bottom}` }, svg);
      make("text", { x: atX(at), y: BOX.bottom + 18, "text-anchor": "middle" }, svg, words);
    }
    const middle = (BOX.left + BOX.right) / 2, high = (BOX.top + BOX.bottom) / 2;
    make("text", { class: "name", x: middle, y: BOX.bottom + 38, "text-anchor": "middle" }, svg, xName);
    make("text", { class: "name", transform: `translate(12 ${high}) rotate(-90)`,
      "text-anchor": "middle" }, svg, yName);
    const marks = make("g", { class: "marks" }, svg);

    function path(xs, ys) { // leaves out what lies on the point before it, lifts the pen at NaN
      let d = "", pen = "M", lastX = -1e9, lastY = -1e9;
      for (let i = 0; i < xs.length; i++) {
        if (!Number.isFinite(ys[i]) || !Number.isFinite(xs[i])) { pen = "M"; continue; }
        const px = atX(xs[i]), py = atY(ys[i]);
        const near = Math.abs(px - lastX) < NEAR && Math.abs(py - lastY) < NEAR;
        if (pen === "L" && near && i < xs.length - 1) continue;
        d += `${pen}${px.toFixed(1)} ${py.toFixed(1)}`;
        [pen, lastX, lastY] = ["L", px, py];
      }
      return d;
    }

    return {
      svg, atX, atY,
      line: (xs, ys, name) => svg.insertBefore(
        make("path", { class: `curve ${name}`, d: path(xs, ys) }, svg), marks),
      fromX: (px) => x[0] + ((px - BOX.left) / (BOX.right - BOX.left)) * (x[1] - x[0]),
      fromY: (py) => y[0] + ((BOX.bottom - py) / (BOX.bottom - BOX.top)) * (y[1] - y[0]),
      clearMarks: () => marks.replaceChildren(),
      dot: (at, height) => { // where the threshold is
        if (Number.isFinite(at) && Number.isFinite(height)) {
          make("circle", { class: "now", cx: atX(at), cy: atY(height), r: 7 }, marks);
        }
      },
      mark: (at, height, number, title) => { // a decision, by its number
        if (!Number.isFinite(at) || !Number.isFinite(height)) return;
        const mark = make("g", {}, marks);
        make("title", {}, mark, title);
        make("circle", { class: "mark", cx: atX(at), cy: atY(height), r: 7.5 }, mark);
        make("text", { class: "mark", x: atX(at), y: atY(height) + 3.6, "text-anchor": "middle" }, mark, number);
      },
      spot: (at, height, r, name, title) => {
        const spot = svg.insertBefore(make("circle", { class: name, cx: atX(at), cy: atY(height), r }, svg), marks);
        make("title", {}, spot, title);
      },
      upright: (at, name) => make("path", { class: name,
        d: `M${atX(at)} ${BOX.top}V${BOX.bottom}` }, marks),
      bar: (at, low, high, name) => svg.insertBefore(make("path",
        { class: name, d: `M${atX(at)} ${atY(low)}V${atY(high)}` }, svg), marks),
    };
  }

  // Where a pointer is, in the units of the drawing.
  function place(svg, event) {
    const box = svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * WIDTH,
      ((event.clientY - box.top) / box.height) * HIGH];
  }

  // The figure as a file of its own: what the page's style sheet says is written into it, in the
  // colours of the light page.
  const USUAL = { // what a viewer takes where nothing is written
    fill: "rgb(0, 0, 0)", "fill-opacity": "1", stroke: "none", "stroke-width": "1px",
    "stroke-dasharray": "none", "stroke-opacity": "1", "stroke-linejoin": "miter",
  };
  const LETTERS = ["font-size", "font-weight", "font-family"];
  function file(svg, title) {
    const html = document.documentElement, theme = html.dataset.theme;
    html.dataset.theme = "light";
    const copy = svg.cloneNode(true);
    const from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
    from.forEach((element, i) => {
      const style = getComputedStyle(element);
      const names = element.tagName === "text" ? [...Object.keys(USUAL), ...LETTERS]
        : ["path", "circle"].includes(element.tagName) ? Object.keys(USUAL) : [];
      for (const name of names) {
        const value = style.getPropertyValue(name);
        if (value !== USUAL[name]) to[i].setAttribute(name, value);
      }
      to[i].removeAttribute("class");
    });
    if (theme === undefined) delete html.dataset.theme;
    else html.dataset.theme = theme;
    for (const attribute of [...copy.attributes]) {
      if (/^(data-|aria-|role|style|tabindex)/.test(attribute.name)) copy.removeAttribute(attribute.name);
    }
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", WIDTH);
    copy.setAttribute("height", HIGH);
    const name = document.createElementNS("http://www.w3.org/2000/svg", "title");
    name.textContent = title;
    copy.prepend(name);
    const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [key, value] of Object.entries({ width: WIDTH, height: HIGH, fill: "#ffffff" })) {
      ground.setAttribute(key, value);
    }
    name.after(ground);
    return `<?xml version="1.0" encoding="utf-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
  }

  return { WIDTH, HIGH, BOX, SHARES, axes, oddsTicks, place, file, logit };
})();
