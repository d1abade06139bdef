"use strict";
/* What the templates' own attributes would do, were scripts in attributes allowed. */
for (const select of document.querySelectorAll("[data-timber-go]")) {
  select.addEventListener("change", () => { window.location = select.value; });
}
for (const button of document.querySelectorAll("[data-timber-columns]")) {
  button.addEventListener("click", () => applyColumnVisibility());
}
