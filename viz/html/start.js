// Runs before anything is painted: which colours, and that there is a script at all.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const night = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    if (!root.dataset.chosen) root.dataset.theme = night.matches ? "dark" : "light";
  };
  night.addEventListener("change", follow);
  follow();
})();
