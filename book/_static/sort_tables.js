// Tables of class dcl-claims or dcl-sortable: a click on a column's head sorts by it, a second one
// the other way round. Numbers are compared as numbers, words as words, empty cells stay last.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const number = /^[^\d+\-−–]*([+\-−–]?\d[\d,]*(?:\.\d+)?)/; // the first of "+7.88 ± 0.4 points"

  function value(cell) {
    const words = (cell.dataset.value ?? cell.innerText).trim();
    const found = words.length < 40 && words.match(number);
    if (!found) return words.toLowerCase();
    return Number(found[1].replace(/[−–]/, "-").replaceAll(",", ""));
  }

  function compare(a, b) {
    if (a === "" || b === "") return (a === "") - (b === ""); // empty last, whatever the direction
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? -1 : 1;
  }

  for (const table of document.querySelectorAll("table.dcl-claims, table.dcl-sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "dcl-sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        for (const body of table.tBodies) {
          const rows = [...body.rows].map((row, place) => ({ row, place, by: value(row.cells[column]) }));
          const sign = down ? -1 : 1;
          rows.sort((x, y) => {
            const empty = (x.by === "") - (y.by === "");
            return empty || sign * compare(x.by, y.by) || x.place - y.place;
          });
          body.append(...rows.map(({ row }) => row));
        }
      });
    });
  }
});
