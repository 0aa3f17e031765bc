// Ctrl+Enter presses the main button of the tab.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.target.closest?.("[role=tabpanel]")?.querySelector("button.go")?.click();
});

// Gradio's sliders say that they were let go when a pointer leaves them; arrow keys do the same.
document.addEventListener("keyup", (event) => {
  const isMove = /^(Arrow|Page|Home|End)/.test(event.key);
  if (isMove && event.target.matches?.("input[type=range]"))
    event.target.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
});

// Gradio's groups of boxes show their name and do not say it; a screen reader needs to hear it.
new MutationObserver(() => {
  document.querySelectorAll("fieldset:not([aria-label])").forEach((group) => {
    group.ariaLabel = group.querySelector("[data-testid=block-info]")?.textContent ?? "";
  });
}).observe(document.documentElement, { childList: true, subtree: true });
