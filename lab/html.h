// SPDX-License-Identifier: MIT
// What the laboratory's pages share: one self-contained file each, well-formed as XML, too, without
// a word to the network. Knows nothing of what a page shows.
#pragma once
#include <stdio.h>

#define HTML_MAX 1000000u  // bytes of a page: a browser opens it at once

// The style sheets and programs of the pages, made from the files of these names by embed.py.
extern const char asset_page_css[], asset_curve_css[], asset_curve_svg_css[], asset_curve_js[];
extern const char asset_step_css[], asset_step_js[];

// Text as text: &, <, > and " are escaped.
void html_text(FILE *to, const char *text);

// A string of JSON, quotes included, that may stand in a page.
void html_json(FILE *to, const char *text);

// From the first byte to <main>, and from </main> to the last.
void html_begin(FILE *to, const char *title, const char *style);
void html_end(FILE *to, const char *program);

// Writes `text` to the file, or to the standard output if it is "-". 0, or -1: errno says why not.
__attribute__((warn_unused_result)) int html_save(const char *path, const char *text,
                                                  size_t length);
