// The parts of the contents fold: open are the part that the page is in and those a reader opened.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const key = "dcl-parts-open";
  const kept = new Set(JSON.parse(sessionStorage.getItem(key) || "[]"));
  for (const caption of document.querySelectorAll(".bd-sidebar-primary p.caption")) {
    const list = caption.nextElementSibling;
    if (!list || list.tagName !== "UL") continue;
    const name = caption.textContent.trim();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "dcl-part";
    button.append(...caption.childNodes);
    caption.append(button);
    const show = (open) => {
      list.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
    };
    show(kept.has(name) || list.querySelector(".current, .active") !== null || isFirst(caption));
    button.addEventListener("click", () => {
      show(list.hidden);
      list.hidden ? kept.delete(name) : kept.add(name);
      sessionStorage.setItem(key, JSON.stringify([...kept]));
    });
  }

  function isFirst(caption) {
    return caption === document.querySelector(".bd-sidebar-primary p.caption");
  }
});
