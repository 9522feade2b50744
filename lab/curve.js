// SPDX-License-Identifier: MIT
// Reads points out: pointer, arrow keys, or the page's address, as in #sort/sieve,313,log (trace,
// policy, frames, scale; trace and scale may be missing). Without this program the page shows all
// charts, linear, and their tables.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const sections = [...document.querySelectorAll(".chart")];
const hidden = new Set();
let scale = "linear";
let spot = null; // {chart, series, size}
const SVG = "http://www.w3.org/2000/svg";
const count = (number) => number.toLocaleString("en");

// ---- drawing the spot -------------------------------------------------------------------------

const svg_of = (chart) => sections[chart].querySelector(`.plot > svg[data-scale=${scale}]`);
const point_of = (chart, series, size) =>
    svg_of(chart).querySelector(`.line[data-s="${series}"] polyline`).points.getItem(size);

function shape(name, attributes) {
    const element = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
}

function draw_spot() {
    document.querySelectorAll(".cross, .spot").forEach((element) => element.remove());
    sections.forEach((section) => section.classList.remove("reading"));
    document.querySelectorAll(".on").forEach((element) => element.classList.remove("on"));
    if (spot === null) {
        return;
    }
    const section = sections[spot.chart], svg = svg_of(spot.chart);
    const { x, y } = point_of(spot.chart, spot.series, spot.size);
    svg.append(shape("path", { class: "cross", d: `M${x} 12V408M66 ${y}H748` }),
        shape("circle", { class: "spot", cx: x, cy: y, r: 8 }));
    section.classList.add("reading");
    section.querySelectorAll(`[data-s="${spot.series}"]`).forEach((e) => e.classList.add("on"));
    section.querySelector(`td[data-at="${spot.series}-${spot.size}"]`)?.classList.add("on");
}

// ---- the words --------------------------------------------------------------------------------

function sentence({ chart, series, size }) {
    const { name, frames, footprint, references, misses } = data.charts[chart];
    const missed = misses[series][size], best = data.min < 0 ? 0 : misses[data.min][size];
    const parts = [`${name}, ${data.series[series]}, ${count(frames[size])} frames ` +
        `(${(100 * frames[size] / footprint).toFixed(1)} % of the footprint): ` +
        `${count(missed)} misses, miss ratio ${(100 * missed / references).toPrecision(4)} %`];
    if (best > 0 && series !== data.min) {
        parts.push(`${(missed / best).toFixed(2)} times those of min`);
    }
    return `${parts.join(", ")}.`;
}

function select(chart, series, size, quiet) {
    spot = { chart, series, size };
    draw_spot();
    sections[chart].querySelector("output").textContent = sentence(spot);
    if (!quiet) {
        const name = encodeURIComponent(data.charts[chart].name);
        const trace = data.charts.length > 1 ? `${name}/` : "";
        const end = scale === "log" ? ",log" : "";
        history.replaceState(null, "",
            `#${trace}${data.series[series]},${data.charts[chart].frames[size]}${end}`);
    }
}

// ---- scale and legend -------------------------------------------------------------------------

function set_scale(wanted) {
    scale = wanted;
    document.querySelectorAll(".plot > svg").forEach((svg) => {
        svg.toggleAttribute("hidden", svg.dataset.scale !== scale);
    });
    document.querySelectorAll("button[data-scale]").forEach((button) => {
        button.setAttribute("aria-pressed", String(button.dataset.scale === scale));
    });
    draw_spot();
}

function toggle(series, shown) {
    hidden[shown ? "delete" : "add"](series);
    document.querySelectorAll(`.line[data-s="${series}"], .label[data-s="${series}"]`)
        .forEach((element) => element.classList.toggle("off", !shown));
    document.querySelector(`button[data-s="${series}"]`)
        .setAttribute("aria-pressed", String(shown));
    if (!shown && spot?.series === series) {
        spot = null;
        draw_spot();
    }
}

const shown = () => data.series.map((_, i) => i).filter((series) => !hidden.has(series));

document.querySelectorAll("button[data-s]").forEach((button) => {
    const series = Number(button.dataset.s);
    button.addEventListener("click", () => toggle(series, hidden.has(series)));
});
document.querySelectorAll("button[data-all]").forEach((button) => {
    button.addEventListener("click", () => {
        data.series.forEach((_, series) => toggle(series, button.dataset.all === "yes"));
    });
});
document.querySelectorAll("button[data-scale]").forEach((button) => {
    button.addEventListener("click", () => set_scale(button.dataset.scale));
});

// ---- pointer and keys -------------------------------------------------------------------------

function nearest(chart, event) {
    const svg = svg_of(chart), box = svg.getBoundingClientRect();
    const factor = svg.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * factor, y = (event.clientY - box.top) * factor;
    let best = null, least = Infinity;
    shown().forEach((series) => data.charts[chart].frames.forEach((_, size) => {
        const point = point_of(chart, series, size);
        const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
        if (distance < least) {
            least = distance;
            best = [series, size];
        }
    }));
    return best;
}

// The next line above (-1) or below (1) at this size; lines on each other follow in their order.
function neighbour(chart, series, size, way) {
    const { misses } = data.charts[chart];
    const order = shown().sort((a, b) => misses[b][size] - misses[a][size] || a - b);
    const at = order.indexOf(series) + way;
    return order[Math.min(Math.max(at, 0), order.length - 1)];
}

function key(chart, event) {
    const last = data.charts[chart].frames.length - 1;
    if (event.ctrlKey || event.altKey || event.metaKey || shown().length === 0) {
        return;
    }
    if (spot === null || spot.chart !== chart) {
        spot = { chart, series: shown()[0], size: 0 };
        if (event.key.startsWith("Arrow")) {
            event.preventDefault();
            select(chart, spot.series, spot.size);
        }
        return;
    }
    const { series, size } = spot;
    const moves = {
        ArrowLeft: () => [series, Math.max(size - 1, 0)],
        ArrowRight: () => [series, Math.min(size + 1, last)],
        ArrowUp: () => [neighbour(chart, series, size, -1), size],
        ArrowDown: () => [neighbour(chart, series, size, 1), size],
        Home: () => [series, 0],
        End: () => [series, last],
    };
    if (event.key in moves) {
        event.preventDefault();
        select(chart, ...moves[event.key]());
    }
}

sections.forEach((section, chart) => {
    const plot = section.querySelector(".plot");
    plot.addEventListener("pointermove", (event) => {
        const label = event.target.closest(".label");
        const middle = data.charts[chart].frames.length >> 1;
        const found = label === null ? nearest(chart, event)
            : [Number(label.dataset.s), spot?.chart === chart ? spot.size : middle];
        if (found !== null) {
            select(chart, ...found, true);
        }
    });
    plot.addEventListener("keydown", (event) => key(chart, event));
});

// ---- the page's address, and paper ------------------------------------------------------------

function nearest_size(chart, frames) {
    const distance = data.charts[chart].frames.map((size) => Math.abs(size - frames));
    return distance.indexOf(Math.min(...distance));
}

function read_hash() {
    let text = location.hash.slice(1);
    try {
        text = decodeURIComponent(text);
    } catch {
        return; // no address of ours
    }
    const slash = text.lastIndexOf("/");
    const [policy, frames, wanted] = text.slice(slash + 1).split(",");
    const trace = text.slice(0, Math.max(slash, 0));
    const chart = slash < 0 ? 0 : data.charts.findIndex(({ name }) => name === trace);
    const series = data.series.indexOf(policy);
    if (wanted === "log") {
        set_scale("log");
    }
    if (chart >= 0 && series >= 0 && Number(frames) > 0) {
        if (slash >= 0) {
            sections[chart].scrollIntoView();
        }
        select(chart, series, nearest_size(chart, Number(frames)), true);
    }
}

window.addEventListener("hashchange", read_hash);
window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
});
document.querySelectorAll(".controls, output").forEach((element) => { element.hidden = false; });
read_hash();
