(() => {
  "use strict";
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const remember = (value) => { try { localStorage.setItem("headstart-theme", value); } catch { /* a file may not */ } };
  const recall = () => { try { return localStorage.getItem("headstart-theme"); } catch { return null; } };

  // Light and dark: the system's choice until the reader makes one.
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const told = () => { button.querySelector("span").textContent = isDark() ? "Light" : "Dark"; };
  if (["light", "dark"].includes(recall())) root.dataset.theme = recall();
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; remember(root.dataset.theme); told(); });
  system.addEventListener("change", told);
  told();

  // Copy: the clipboard where a file may use it, else by selection.
  document.querySelectorAll(".command").forEach((part) => {
    const [code, button, said] = ["code", "button", "[role=status]"].map((name) => part.querySelector(name));
    const bySelection = () => {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      return document.execCommand("copy");
    };
    const write = async () => {
      try { await navigator.clipboard.writeText(code.textContent); return true; } catch { return bySelection(); }
    };
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await write();
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      said.textContent = done ? "Command copied" : "Command selected, press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
    });
  });

  // A small label beside the pointer, kept inside the window.
  const tip = byId("tip");
  const hide = () => { tip.hidden = true; };
  const show = (event) => {
    const mark = event.target.closest("[data-tip]");
    if (!mark) return hide();
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const width = tip.offsetWidth;
    const left = Math.min(Math.max(8, event.clientX - width / 2), root.clientWidth - width - 8);
    const above = event.clientY - tip.offsetHeight - 14;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : event.clientY + 18}px`;
  };
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  document.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", hide);

  // Tables that sort: each heading becomes a button. What is no number comes last in a column of numbers.
  document.querySelectorAll("table.sorts").forEach((table) => {
    const [body, heads] = [table.tBodies[0], [...table.tHead.rows[0].cells]];
    heads.forEach((head, column) => {
      const isNumber = head.classList.contains("n");
      const textOf = (row) => row.cells[column].textContent.trim();
      const numberOf = (row) => parseFloat(textOf(row).replace("−", "-").replaceAll(",", "").replace("<", ""));
      const compare = (a, b, sign) => {
        if (!isNumber) return sign * textOf(a).localeCompare(textOf(b), undefined, { numeric: true });
        const [x, y] = [numberOf(a), numberOf(b)];
        return isNaN(x) || isNaN(y) ? isNaN(x) - isNaN(y) : sign * (x - y);
      };
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        body.append(...[...body.rows].sort((a, b) => compare(a, b, sign)));
      });
    });
  });

  // On paper everything is open.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));

  // Only one recording plays at a time.
  const players = [...document.querySelectorAll("audio")];
  players.forEach((player) => player.addEventListener("play", () => players.forEach((other) => { if (other !== player) other.pause(); })));

  // The contents mark the section in view.
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (!entry.isIntersecting) return;
    links.forEach((a) => a.removeAttribute("aria-current"));
    links.get(entry.target.id)?.setAttribute("aria-current", "true");
  }), { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main > section[id]").forEach((section) => seen.observe(section));
})();
