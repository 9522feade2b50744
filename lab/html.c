// SPDX-License-Identifier: MIT
// The frame of a page. The policy of its contents (CSP) forbids the browser to load anything.
#include "html.h"

#include <string.h>

#include "output.h"

void html_text(FILE *to, const char *text) {
    for (; *text != 0; text++) {
        switch (*text) {
        case '&': fputs("&amp;", to); break;
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '"': fputs("&quot;", to); break;
        default:
            // Control characters are not allowed in XML, and bytes of no UTF-8 are the browser's.
            fputc((unsigned char)*text < ' ' && *text != '\n' && *text != '\t' ? '?' : *text, to);
        }
    }
}

void html_json(FILE *to, const char *text) {
    fputc('"', to);
    for (; *text != 0; text++) {
        if ((unsigned char)*text < ' ' || strchr("\"\\<>&", *text) != NULL) {
            fprintf(to, "\\u%04x", (unsigned)(unsigned char)*text);
        } else {
            fputc(*text, to);
        }
    }
    fputc('"', to);
}

void html_begin(FILE *to, const char *title, const char *style) {
    fputs("<!DOCTYPE html>\n"
          "<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\"><head>\n"
          "<meta charset=\"utf-8\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>", to);
    html_text(to, title);
    fprintf(to, "</title>\n<style>/*<![CDATA[*/\n%s%s/*]]>*/</style></head>\n<body><main>\n",
            asset_page_css, style);
}

void html_end(FILE *to, const char *program) {
    fprintf(to, "</main>\n<script>//<![CDATA[\n%s//]]>\n</script></body></html>\n", program);
}

int html_save(const char *path, const char *text, size_t length) {
    FILE *file = output_open(path);
    if (file == NULL) {
        return -1;
    }
    fwrite(text, 1, length, file);
    return output_end(file);
}
