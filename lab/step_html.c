// SPDX-License-Identifier: MIT
// The step mode as a page: a grid of all steps as textbooks draw it, and each step in detail. All
// is in the HTML; step.js only shows one step at a time.
#include "html.h"
#include "step.h"

static const char *plural(uint32_t count) {
    return count == 1 ? "" : "s";
}

// ---- the grid --------------------------------------------------------------------------------

static const char *cell_class(const struct step *step, uint32_t frame) {
    return !step->frame[frame].there   ? " free"
           : step->place != frame      ? ""
           : step->hit                 ? " used"
                                       : " in";
}

static void grid_head(FILE *to, const struct step_run *run) {
    fputs("<thead><tr><th scope=\"row\">step</th>", to);
    for (uint32_t i = 1; i <= run->count; i++) {
        fprintf(to, "<th scope=\"col\" class=\"c%u\"><a href=\"#%u\">%u</a></th>", i, i, i);
    }
    fputs("</tr></thead>\n<tbody><tr><th scope=\"row\">page</th>", to);
    for (uint32_t i = 0; i < run->count; i++) {
        const struct step_reference *reference = &run->step[i].reference;
        fprintf(to, "<td class=\"c%u\"><b>%u%s</b></td>", i + 1, reference->page,
                reference->write ? "w" : "");
    }
    fputs("</tr>\n", to);
}

static void grid_frame(FILE *to, const struct step_run *run, uint32_t frame) {
    fprintf(to, "<tr><th scope=\"row\">frame %u</th>", frame + 1);
    for (uint32_t i = 0; i < run->count; i++) {
        const struct step_page *page = &run->step[i].frame[frame];
        fprintf(to, "<td class=\"c%u%s\">", i + 1, cell_class(&run->step[i], frame));
        if (page->there) {
            fprintf(to, "%s%u%s%s", page->hands != 0 ? "▸" : "", page->page,
                    page->ref && run->ref_used ? "<sup>r</sup>" : "",
                    page->dirty ? "<sup>d</sup>" : "");
        } else {
            fputs("·", to);
        }
        fputs("</td>", to);
    }
    fputs("</tr>\n", to);
}

static void grid_end(FILE *to, const struct step_run *run) {
    fputs("<tr><th scope=\"row\">fault</th>", to);
    for (uint32_t i = 0; i < run->count; i++) {
        fprintf(to, "<td class=\"c%u fault\">%s</td>", i + 1, run->step[i].hit ? "" : "✗");
    }
    fputs("</tr>\n<tr><th scope=\"row\">left</th>", to);
    for (uint32_t i = 0; i < run->count; i++) {
        fprintf(to, "<td class=\"c%u\">", i + 1);
        if (run->step[i].evicted) {
            fprintf(to, "%u", run->step[i].victim);
        }
        fputs("</td>", to);
    }
    fputs("</tr></tbody>", to);
}

static void write_grid(FILE *to, const struct step_run *run) {
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All steps\">"
          "<table class=\"grid\">\n", to);
    grid_head(to, run);
    for (uint32_t n = 0; n < run->frames; n++) {
        grid_frame(to, run, n);
    }
    grid_end(to, run);
    fputs("</table></div>\n<p class=\"key\">✗ and orange: the page came in; blue: it was used "
          "where it lay; <sup>d</sup>: dirty", to);
    fputs(run->ref_used ? "; <sup>r</sup>: its reference bit is set" : "", to);
    fputs(run->hand[0] != NULL ? "; ▸: a hand points at it" : "", to);
    fputs("; left: the page that left. Lists below are oldest first", to);
    fputs(run->ghosts ? ", ghosts in parentheses.</p>\n" : ".</p>\n", to);
}

// ---- one step --------------------------------------------------------------------------------

static void write_number(FILE *to, const char *name, uint32_t number) {
    fputs("<small>", to);
    html_text(to, name);
    if (number == UINT32_MAX) {
        fputs(": never</small>", to);
    } else {
        fprintf(to, ": %u</small>", number);
    }
}

static void write_hands(FILE *to, const struct step_run *run, const struct step_page *page) {
    for (uint32_t n = 0; n < POLICY_HANDS; n++) {
        if (page->hands >> n & 1) {
            fputs("<small>▲ ", to);
            html_text(to, run->hand[n]);
            fputs("</small>", to);
        }
    }
}

static void write_frame(FILE *to, const struct step_run *run, const struct step *step,
                        uint32_t frame) {
    const struct step_page *page = &step->frame[frame];
    fprintf(to, "<li class=\"frame%s\"><div class=\"box\"><small>frame %u</small>",
            cell_class(step, frame), frame + 1);
    if (!page->there) {
        fputs("<small>free</small></div></li>\n", to);
        return;
    }
    fprintf(to, "<div class=\"page\">%u</div>", page->page);
    if (step->place == frame) {
        fprintf(to, "<small>%s</small>", step->hit ? "✓ used now" : "✗ came in now");
    }
    if (page->ref && run->ref_used) {
        fputs("<small>r: bit is set</small>", to);
    }
    if (page->dirty) {
        fputs("<small>d: dirty</small>", to);
    }
    if (page->state != NULL) {
        fputs("<small>", to);
        html_text(to, page->state);
        fputs("</small>", to);
    }
    if (page->numbered) {
        write_number(to, run->number, page->number);
    }
    write_hands(to, run, page);
    fputs("</div></li>\n", to);
}

static void write_chip(FILE *to, const struct step_run *run, const char *list,
                       const struct step_page *page) {
    fprintf(to, "<span class=\"chip%s\">", page->ghost ? " ghost" : "");
    for (uint32_t n = 0; n < POLICY_HANDS; n++) {
        if (page->hands >> n & 1) {
            fputs("▸", to);
        }
    }
    fprintf(to, page->ghost ? "(%u)" : "%u", page->page);
    fputs(page->ref && run->ref_used ? "<sup>r</sup>" : "", to);
    fputs(page->dirty ? "<sup>d</sup>" : "", to);
    if (page->state != NULL && page->state != list) {
        fputs(" ", to);
        html_text(to, page->state);
    }
    fputs("</span>", to);
}

static void write_lists(FILE *to, const struct step_run *run, const struct step *step) {
    fputs("<dl>", to);
    for (uint32_t n = 0; n < STEP_LISTS && step->list[n].name != NULL; n++) {
        fputs("<dt>", to);
        html_text(to, step->list[n].name);
        fputs("</dt><dd>", to);
        for (uint32_t i = 0; i < step->list[n].count; i++) {
            write_chip(to, run, step->list[n].name, &step->list[n].page[i]);
        }
        fputs(step->list[n].count == 0 ? "<span class=\"faint\">empty</span>" : "", to);
        fputs("</dd>\n", to);
    }
    for (uint32_t n = 0; n < POLICY_NUMBERS && step->number[n].name != NULL; n++) {
        fputs("<dt>", to);
        html_text(to, step->number[n].name);
        fprintf(to, "</dt><dd>%.4g</dd>\n",
                step->number[n].value + step->number[n].part / 4294967296.0);
    }
    if (step->next_known) {
        fprintf(to, "<dt>leaves next</dt><dd>%u <span class=\"faint\">if no page is used before"
                    "</span></dd>\n", step->next);
    }
    fputs("</dl>", to);
}

static void write_step(FILE *to, const struct step_run *run, uint32_t i) {
    const struct step *step = &run->step[i];
    fprintf(to, "<section class=\"step %s\" id=\"%u\"><h2>Step %u of %u: page %u%s, %s (%u fault%s "
                "so far)</h2>\n<p class=\"why\">",
            step->hit ? "hit" : "miss", i + 1, i + 1, run->count, step->reference.page,
            step->reference.write ? " written" : "",
            step->hit ? "✓ hit" : "✗ miss", step->faults, plural(step->faults));
    html_text(to, step->why);
    fputs("</p>\n<ul class=\"frames\">\n", to);
    for (uint32_t n = 0; n < run->frames; n++) {
        write_frame(to, run, step, n);
    }
    fputs("</ul>\n", to);
    write_lists(to, run, step);
    fputs("</section>\n", to);
}

void step_html(FILE *to, const struct step_run *run) {
    char title[160];
    snprintf(title, sizeof(title), "%.100s, %u frame%s, step by step", run->policy, run->frames,
             plural(run->frames));
    html_begin(to, title, asset_step_css);
    fputs("<h1>", to);
    html_text(to, title);
    fprintf(to, "</h1>\n<p>%u reference%s to %u page%s: <b>%u fault%s</b> (%.1f %%).</p>\n",
            run->count, plural(run->count), run->pages, plural(run->pages), run->faults,
            plural(run->faults),
            100.0 * run->faults / run->count);
    write_grid(to, run);
    fputs("<div class=\"controls\" hidden=\"hidden\">"
          "<button type=\"button\" data-go=\"-1\">← back</button>"
          "<button type=\"button\" data-go=\"1\">on →</button>"
          "<span class=\"faint\">or the keys left, right, Home and End</span></div>\n"
          "<div id=\"said\" class=\"unseen\" role=\"status\" aria-live=\"polite\"></div>\n", to);
    for (uint32_t i = 0; i < run->count; i++) {
        write_step(to, run, i);
    }
    html_end(to, asset_step_js);
}
