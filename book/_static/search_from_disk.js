// Under each page that a search finds, Sphinx shows where it says so, for which it fetches the page.
// Browsers do not fetch from disk: there, the text of the pages comes from a script (book/build.py).
if (location.protocol === "file:" && location.pathname.endsWith("/search.html")) {
  const texts = new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = "_static/page_texts.js"; // sets dclPageTexts
    script.onload = () => resolve(window.dclPageTexts);
    document.head.append(script);
  });
  const query = new URLSearchParams(location.search).get("q") ?? "";
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  window.fetch = async (address) => {
    const main = document.createElement("div");
    main.setAttribute("role", "main"); // where Sphinx looks for the text
    const [sentences, whole] = (await texts)[address.replace(/^\.\//, "")] ?? ["", ""];
    // of a page whose sentences have none of the words, which are in a table or in code, all of it
    const told = words.some((word) => sentences.toLowerCase().includes(word));
    main.textContent = told ? sentences : whole;
    return new Response(main.outerHTML);
  };
}
