// SPDX-License-Identifier: MIT
// Shows one step at a time. Without this program the page shows all of them, one below the other.
"use strict";
const steps = [...document.querySelectorAll(".step")];
const columns = steps.map((step) => [...document.querySelectorAll(`.c${step.id}`)]);
steps.forEach((step) => step.removeAttribute("id")); // or the browser would scroll to it
const said = document.getElementById("said");
let now = 0;

function show(wanted, quiet) {
    now = Math.min(Math.max(wanted, 0), steps.length - 1);
    steps.forEach((step, i) => step.classList.toggle("now", i === now));
    columns.forEach((cells, i) => {
        cells.forEach((cell) => cell.classList.toggle("here", i === now));
    });
    columns[now][0].scrollIntoView({ block: "nearest", inline: "center" });
    const step = steps[now];
    const words = (selector) => step.querySelector(selector).textContent;
    said.textContent = `${words("h2")}. ${words(".why")}`;
    document.querySelectorAll("[data-go]").forEach((button) => {
        const end = button.dataset.go < 0 ? 0 : steps.length - 1;
        button.setAttribute("aria-disabled", String(now === end));
    });
    if (!quiet) {
        history.replaceState(null, "", `#${now + 1}`);
    }
}

function show_hash() {
    const wanted = Number.parseInt(location.hash.slice(1), 10);
    show(Number.isNaN(wanted) ? 0 : wanted - 1, true);
}

const keys = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
document.addEventListener("keydown", (event) => {
    if (event.key in keys && !event.ctrlKey && !event.altKey && !event.metaKey) {
        show(now + keys[event.key]);
        event.preventDefault();
    }
});
document.querySelectorAll("[data-go]").forEach((button) => {
    button.addEventListener("click", () => show(now + Number(button.dataset.go)));
});
window.addEventListener("hashchange", show_hash);
document.body.classList.add("js");
document.querySelector(".controls").hidden = false;
show_hash();
