// A box that scrolls sideways can be reached by the keyboard, and says what it holds.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const BOXES = ":is(.dcl-picture, div.output.text_html, .pst-scrollable-table-container, .dt-scroll-body)";
  const SCROLLS = { tabindex: "0", role: "region" };
  const seen = new WeakSet();
  const look = new ResizeObserver((changes) => changes.forEach(({ target }) => update(target)));

  function nameOf(box) {
    const output = box.closest(".output") ?? box;
    const words = box.closest("figure")?.querySelector(".caption-number")
      ?? output.querySelector("caption, p.caption-text")
      ?? box.closest("section")?.querySelector("h1, h2, h3, h4");
    const name = words?.cloneNode(true);
    name?.querySelectorAll(".headerlink").forEach((link) => link.remove());
    return name?.textContent.trim();
  }

  function update(box) {
    const name = box.scrollWidth > box.clientWidth + 1 && nameOf(box);
    for (const [key, value] of Object.entries(SCROLLS)) {
      if (name) box.setAttribute(key, value);
      else box.removeAttribute(key);
    }
    if (name) box.setAttribute("aria-label", name);
    else box.removeAttribute("aria-label");
    watch(box);
  }

  // A table that hides columns is drawn later, in a box inside its own; its caption is outside.
  function watch(around) {
    for (const box of around.querySelectorAll(`.bd-article ${BOXES}`)) {
      if (!seen.has(box)) look.observe(box);
      seen.add(box);
    }
    for (const table of around.querySelectorAll(".dt-scroll-body table")) {
      table.setAttribute("aria-label", nameOf(table));
    }
  }

  watch(document);
});
