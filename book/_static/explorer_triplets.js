// The second tab of the explorer: points of the plane under the triplet loss and its schedule f.
// The first part are pure functions with the names and rules of the library `dcl`
// (tests/book/test_browser.py holds them equal); the second draws what `actOut` returns.
"use strict";

(() => {
  const SHARPNESS = 8; // book/dcl_book/plane.py: of the fixed classifier, whose border is x = 0
  const RATE = 0.6; // book/dcl_book/plane.py: of the descent
  const MARGIN = 0.2; // paper 4.3.1
  const STEPS = 100; // of descent, spread over the epochs of a training

  // ---- dcl/mining.py, for two classes of which 1 is the minority -----------------------------

  function mine(points, labels, { k, anchors }) {
    const surprise = points.map(([x]) => Math.log1p(Math.exp(-2 * SHARPNESS * x))); // -log p(1)
    const best = (candidates, sign) => candidates
      .sort((a, b) => sign * (surprise[a] - surprise[b]) || a - b).slice(0, k);
    const of = (label) => labels.flatMap((l, i) => (l === label ? [i] : []));
    const easy = of(1).filter((i) => points[i][0] > 0); // predicted right
    return {
      anchor: anchors === "all" ? of(1) : best(easy, 1),
      positive: best(of(1), -1),
      negative: best(of(0), 1),
    };
  }

  // ---- dcl/triplet.py, Eq. 8 and 9: the mean hinge, and its gradient by the points -----------

  function tripletLoss(points, { anchor, positive, negative }, margin = MARGIN) {
    const gradient = points.map(() => [0, 0]);
    let total = 0, triples = 0;
    const apart = (i, j) => Math.hypot(points[i][0] - points[j][0], points[i][1] - points[j][1]);
    const push = (i, j, d, times) => { // times the gradient of |points[i] - points[j]|
      if (!d || !times) return;
      for (const c of [0, 1]) {
        const unit = (points[i][c] - points[j][c]) / d;
        gradient[i][c] += times * unit;
        gradient[j][c] -= times * unit;
      }
    };
    for (const a of anchor) {
      const far = negative.map((n) => apart(a, n));
      const active = negative.map(() => 0);
      for (const p of positive) {
        if (p === a) continue;
        const near = apart(a, p);
        let count = 0;
        far.forEach((d, i) => {
          const hinge = margin + near - d;
          triples += 1;
          if (hinge > 0) {
            total += hinge;
            count += 1;
            active[i] += 1;
          }
        });
        push(a, p, near, count);
      }
      far.forEach((d, i) => push(a, negative[i], d, -active[i]));
    }
    const mean = Math.max(1, triples);
    return { loss: total / mean, triples, gradient: gradient.map((g) => g.map((x) => x / mean)) };
  }

  // The points at each of STEPS + 1 moments: step s of the descent is weighed by fs[s].
  function actOut(cloud, { k, anchors, fs }) {
    let points = cloud.points;
    const path = [];
    for (let s = 0; s <= STEPS; s++) {
      const mined = mine(points, cloud.labels, { k, anchors });
      const { loss, triples, gradient } = tripletLoss(points, mined);
      const move = gradient.map((g) => g.map((x) => -RATE * fs[s] * x));
      path.push({ points, mined, loss, triples, move });
      points = points.map((p, i) => p.map((x, c) => x + move[i][c]));
    }
    return path;
  }

  window.dclTriplets = { STEPS, mine, tripletLoss, actOut };

  // ---- the tab -----------------------------------------------------------------------------

  const root = document.querySelector("#explorer [data-panel=triplets]");
  if (!root || !window.dclExplorer || !window.dclClouds) return;
  const LONGER = 4; // arrows are longer than the step by this
  const picture = root.querySelector("[data-cloud]");
  const by = (name) => root.querySelector(`[data-t-${name}]`);
  const text = (name, content) => { by(name).textContent = content; };
  const SVG = "http://www.w3.org/2000/svg";

  function make(tag, attributes, parent) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return parent.appendChild(element);
  }

  const xy = ([x, y]) => [100 * x, -100 * y]; // of the picture, whose y points down

  function drawArrow(from, move, who) {
    const [x, y] = xy(from), [dx, dy] = xy(move).map((d) => LONGER * d);
    const length = Math.hypot(dx, dy);
    if (length < 1) return;
    const [ux, uy] = [dx / length, dy / length], head = Math.min(6, length);
    const [tx, ty] = [x + dx, y + dy], [bx, by_] = [tx - head * ux, ty - head * uy];
    const half = 0.45 * head;
    make("path", { class: `arrow ${who}`, d: `M${x} ${y}L${bx} ${by_}` }, picture);
    const corners = [[tx, ty], [bx - half * uy, by_ + half * ux], [bx + half * uy, by_ - half * ux]];
    make("polygon", { class: `head ${who}`, points: corners.join(" ") }, picture);
  }

  function draw({ points, mined, move }, labels) {
    picture.replaceChildren();
    make("path", { class: "border", d: "M0 -125V125" }, picture);
    const is = Object.fromEntries(Object.entries(mined).map(([role, list]) => [role, new Set(list)]));
    const order = [0, 1].flatMap((label) => labels.flatMap((l, i) => (l === label ? [i] : [])));
    for (const i of order) {
      const [cx, cy] = xy(points[i]);
      const dot = (r, role) => make("circle", { cx, cy, r, class: role }, picture);
      if (labels[i] === 0) dot(is.negative.has(i) ? 5 : 3, is.negative.has(i) ? "negative" : "other");
      else {
        if (is.anchor.has(i)) dot(7, "anchor");
        else if (!is.positive.has(i)) dot(4, "minority");
        if (is.positive.has(i)) {
          const d = `M${cx} ${cy - 6}L${cx + 5.2} ${cy + 3.5}H${cx - 5.2}Z`;
          make("path", { d, class: "positive" }, picture);
        }
      }
    }
    order.forEach((i) => drawArrow(points[i], move[i], labels[i] ? "ours" : "theirs"));
  }

  let kept = { key: "", path: [] }; // while only the epoch moves

  function show({ detail: { settings, compute, announce } }) {
    if (root.hidden) return;
    const value = (name) => root.querySelector(`[name=${name}]`).value;
    const [k, anchors] = [Number(value("k")), value("anchors")];
    const cloud = window.dclClouds[value("hard")];
    const at = (s) => compute({ ...settings, epoch: (s / STEPS) * settings.epochs }).f;
    const fs = Array.from({ length: STEPS + 1 }, (_, s) => at(s));
    const step = Math.floor(STEPS * (settings.epoch / settings.epochs) + 1e-9);
    const key = JSON.stringify([value("hard"), k, anchors, fs]);
    if (kept.key !== key) kept = { key, path: actOut(cloud, { k, anchors, fs }) };
    const now = kept.path[step];
    draw(now, cloud.labels);
    const f = fs[step];
    const right = (label, side) => {
      const members = now.points.filter((_, i) => cloud.labels[i] === label);
      return [members.filter(([x]) => (x > 0) === side).length, members.length];
    };
    const [tp, p] = right(1, true), [tn, n] = right(0, false);
    const mA = 50 * (tp / p + tn / n);
    text("k", String(k));
    text("anchor", String(now.mined.anchor.length));
    text("positive", String(now.mined.positive.length));
    text("negative", String(now.mined.negative.length));
    text("triples", now.triples.toLocaleString("en"));
    text("loss", now.loss.toFixed(3));
    text("f", f.toFixed(3));
    text("product", (f * now.loss).toFixed(3));
    text("minority", `${tp} of ${p}`);
    text("majority", `${tn} of ${n}`);
    text("mA", `${mA.toFixed(1)} %`);
    const sentence = `Epoch ${settings.epoch} of ${settings.epochs}: ${tp} of ${p} points of the `
      + `minority and ${tn} of ${n} of the majority are on their side; f is ${f.toFixed(3)}.`;
    picture.setAttribute("aria-label", sentence);
    announce(sentence);
  }

  root.closest("#explorer").addEventListener("dcl:shown", show);
})();
