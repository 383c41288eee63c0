"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const bodies = [...document.querySelectorAll("tbody")];
  const heads = [...document.querySelectorAll("thead th")];
  const field = (id) => document.getElementById(id);
  const value = (cell) => {
    const time = cell.querySelector("time");
    if (time) return Date.parse(time.dateTime);
    const given = cell.dataset.value ?? cell.textContent.trim();
    return given !== "" && !isNaN(given) ? Number(given) : given.toLowerCase();
  };
  const tiles = [...document.querySelectorAll("a.tile")];
  const start = Math.max(0, heads.findIndex((head) => head.getAttribute("aria-sort") === "ascending"));
  let order = { column: start, descending: false };
  const rows = bodies.flatMap((body) => [...body.rows]).map((row) => ({
    row,
    keys: [...row.cells].map(value),
    text: `${row.textContent} ${row.dataset.family}`.toLowerCase(),
    fits: true,
  }));
  const size = bodies[0].rows.length;

  // Each part of the table is laid out when it comes into sight, so a part is never half empty.
  const show = () => {
    const fitting = rows.filter(({ fits }) => fits).map(({ row }) => row);
    bodies.forEach((body, index) => {
      const part = fitting.slice(index * size, (index + 1) * size);
      body.replaceChildren(...part);
      body.hidden = part.length === 0;
    });
    return fitting.length;
  };

  const collator = new Intl.Collator("en", { numeric: true });
  const compare = (one, two) =>
    typeof one === "number" && typeof two === "number" ? one - two : collator.compare(one, two);

  const sort = (column, descending) => {
    rows.sort(({ keys: one }, { keys: two }) => {
      const [a, b] = [one[column], two[column]];
      if (a === "" || b === "") return (a === "") - (b === "");
      return descending ? compare(b, a) : compare(a, b);
    });
    show();
    heads.forEach((head, index) => {
      head.setAttribute("aria-sort", index !== column ? "none" : descending ? "descending" : "ascending");
    });
    field("sort").value = column;
    order = { column, descending };
  };

  // The filters and the order are in the address: a link or a reload shows the same rows.
  const remember = () => {
    const settings = { q: field("search").value, state: field("state").value, region: field("region")?.value ?? "" };
    if (order.column !== start || order.descending) settings.sort = `${order.descending ? "-" : ""}${order.column}`;
    const parts = new URLSearchParams(Object.entries(settings).filter(([, text]) => text)).toString();
    history.replaceState(null, "", parts ? `#${parts}` : location.pathname + location.search);
  };

  const recall = () => {
    const settings = new URLSearchParams(location.hash.slice(1));
    if (location.hash && ![...settings.keys()].some((key) => ["q", "state", "region", "sort"].includes(key))) return;
    field("search").value = settings.get("q") ?? "";
    for (const id of ["state", "region"]) {
      const select = field(id);
      const value = settings.get(id) ?? "";
      if (select) select.value = [...select.options].some((option) => option.value === value) ? value : "";
    }
    const [, minus, column] = /^(-?)([0-9]+)$/.exec(settings.get("sort") ?? `${start}`) ?? [null, "", start];
    const isNew = Number(column) !== order.column || (minus === "-") !== order.descending;
    if (isNew && Number(column) < heads.length) sort(Number(column), minus === "-");
    filter();
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      sort(column, head.getAttribute("aria-sort") === "ascending");
      remember();
    });
    head.replaceChildren(button);
  });

  const filter = () => {
    const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const state = field("state").value;
    const region = field("region")?.value ?? "";
    for (const each of rows) {
      each.fits =
        (!state || each.row.dataset.state === state) &&
        (!region || each.row.dataset.region === region) &&
        words.every((word) => each.text.includes(word));
    }
    const shown = show();
    field("count").value = `${shown} of ${rows.length} images`;
    field("empty").hidden = shown > 0;
    document.querySelector(".scroll").hidden = shown === 0;
    for (const tile of tiles) {
      const isChosen = new URLSearchParams(tile.hash.slice(1)).get("state") === state;
      if (isChosen) tile.setAttribute("aria-current", "true");
      else tile.removeAttribute("aria-current");
    }
  };

  form.addEventListener("input", (event) => {
    if (event.target.id === "sort") sort(Number(event.target.value), false);
    else filter();
    remember();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { sort(start, false); filter(); remember(); }));
  field("clear").addEventListener("click", () => { form.reset(); field("search").focus(); });
  for (const tile of tiles) {
    tile.addEventListener("click", (event) => {
      event.preventDefault();
      field("state").value = new URLSearchParams(tile.hash.slice(1)).get("state");
      filter();
      remember();
    });
  }
  addEventListener("hashchange", recall);
  // Paper cannot be unfolded.
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details:not([open])")) {
      folded.open = true;
      folded.dataset.folded = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const folded of document.querySelectorAll("details[data-folded]")) {
      folded.open = false;
      delete folded.dataset.folded;
    }
  });
  form.hidden = false;
  recall();
})();
