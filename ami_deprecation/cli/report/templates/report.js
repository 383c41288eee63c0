"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const body = document.querySelector("tbody");
  const heads = [...document.querySelectorAll("thead th")];
  const field = (id) => document.getElementById(id);
  const value = (cell) => {
    const given = cell.dataset.value ?? cell.querySelector("time")?.dateTime ?? cell.textContent.trim();
    return given !== "" && !isNaN(given) ? Number(given) : given.toLowerCase();
  };
  const rows = [...body.rows].map((row) => ({
    row,
    keys: [...row.cells].map(value),
    text: `${row.textContent} ${row.dataset.family}`.toLowerCase(),
  }));

  const compare = (one, two) =>
    typeof one === "number" && typeof two === "number" ? one - two : String(one).localeCompare(String(two), "en", { numeric: true });

  const sort = (column, descending) => {
    rows.sort(({ keys: one }, { keys: two }) => {
      const [a, b] = [one[column], two[column]];
      if (a === "" || b === "") return (a === "") - (b === "");
      return descending ? compare(b, a) : compare(a, b);
    });
    body.append(...rows.map(({ row }) => row));
    heads.forEach((head, index) => {
      head.setAttribute("aria-sort", index !== column ? "none" : descending ? "descending" : "ascending");
    });
    field("sort").value = column;
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(column, head.getAttribute("aria-sort") === "ascending"));
    head.replaceChildren(button);
  });

  const filter = () => {
    const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const state = field("state").value;
    const region = field("region")?.value ?? "";
    let shown = 0;
    for (const { row, text } of rows) {
      const fits =
        (!state || row.dataset.state === state) &&
        (!region || row.dataset.region === region) &&
        words.every((word) => text.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    field("count").value = `${shown} of ${rows.length} images`;
  };

  form.addEventListener("input", (event) => (event.target.id === "sort" ? sort(Number(event.target.value), false) : filter()));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { sort(Number(field("sort").value), false); filter(); }));
  form.hidden = false;
  filter();
})();
