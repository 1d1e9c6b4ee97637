// Under each page that a search finds, Sphinx shows where it says so, for which it fetches the page. That
// brings the numbers of tables, and browsers do not fetch from disk. So the sentences of the pages come
// from a script (book/build.py); of a page that has the words in a table alone, its first.
if (location.pathname.endsWith("/search.html")) {
  const texts = new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = "_static/page_texts.js"; // sets dclPageTexts
    script.onload = () => resolve(window.dclPageTexts);
    document.head.append(script);
  });
  window.fetch = async (address) => {
    const main = document.createElement("div");
    main.setAttribute("role", "main"); // where Sphinx looks for the text
    main.textContent = (await texts)[address.replace(/^\.\//, "")] ?? "";
    return new Response(main.outerHTML);
  };
}
