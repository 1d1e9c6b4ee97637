// Paper is white: a page that is dark on the screen is light while it is printed.
"use strict";

{
  const data = document.documentElement.dataset;
  let before;
  const start = () => {
    before ??= data.theme;
    data.theme = "light";
  };
  const end = () => {
    data.theme = before ?? data.theme;
    before = undefined;
  };
  window.addEventListener("beforeprint", start);
  window.addEventListener("afterprint", end);
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? start() : end()));
}
