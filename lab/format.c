// SPDX-License-Identifier: MIT
// Which format a trace has, and the reader that all formats share.
#include "format.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// In the order in which they are tried on the contents; text last, for lackey is text, too.
static const struct format *const formats[] = {
    &format_own, &format_pcapng, &format_lackey, &format_text, &format_raw, &format_oracle,
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))
#define LOOK_BYTES 4096u
#define READ_LEAST 64u  // a record of the guest makes so many references at most

const struct format *format_at(size_t index) {
    return index < FORMATS ? formats[index] : NULL;
}

const char *format_names(void) {
    static char names[128];
    names[0] = 0;
    for (size_t i = 0; i < FORMATS; i++) {
        strcat(strcat(names, i > 0 ? ", " : ""), formats[i]->name);
    }
    return names;
}

void format_fail(struct format_reader *reader, const char *format, ...) {
    va_list arguments;
    int length = snprintf(reader->error, sizeof(reader->error), "cannot read the trace '%s': ",
                          reader->path);
    va_start(arguments, format);
    vsnprintf(reader->error + length, sizeof(reader->error) - (size_t)length, format, arguments);
    va_end(arguments);
}

// ---- names -----------------------------------------------------------------------------------

static bool name_cut(char *name, const char *end) {
    size_t length = strlen(name), end_length = end == NULL ? 0 : strlen(end);
    if (end_length == 0 || length <= end_length || strcmp(name + length - end_length, end) != 0) {
        return false;
    }
    name[length - end_length] = 0;
    return true;
}

static const struct format *name_cut_format(char *name) {
    for (size_t i = 0; i < FORMATS; i++) {
        for (size_t k = 0; k < sizeof(formats[i]->end) / sizeof(formats[i]->end[0]); k++) {
            if (name_cut(name, formats[i]->end[k])) {
                return formats[i];
            }
        }
    }
    return NULL;
}

static bool name_cut_packed(char *name) {
    return name_cut(name, ".xz") || name_cut(name, ".zst") || name_cut(name, ".gz");
}

// Cuts "sort.u32.xz" to "sort"; returns the format that the name tells, or NULL.
static const struct format *name_split(const char *path, char *name, size_t size) {
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash == NULL ? path : slash + 1);
    (void)name_cut_packed(name);
    if (name_cut(name, ".oracleGeneral.bin")) {
        return &format_oracle;  // before ".bin"
    }
    return name_cut_format(name);
}

void format_trace_name(const char *path, char *name, size_t size) {
    (void)name_split(strcmp(path, "-") == 0 ? "stdin" : path, name, size);
}

bool format_name_packed(const char *path) {
    const char *slash = strrchr(path, '/');
    char name[256];
    snprintf(name, sizeof(name), "%s", slash == NULL ? path : slash + 1);
    return name_cut_packed(name);
}

struct named {
    char name[256];
    const char *path;
};

static int named_compare(const void *a, const void *b) {
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

bool format_names_differ(uint32_t traces, char *const *path, char *error, size_t size) {
    struct named *named = calloc(traces, sizeof(*named));
    bool differ = named != NULL;
    snprintf(error, size, "out of memory: name fewer traces");
    for (uint32_t i = 0; i < traces && differ; i++) {
        format_trace_name(path[i], named[i].name, sizeof(named[i].name));
        named[i].path = path[i];
    }
    if (differ) {
        qsort(named, traces, sizeof(*named), named_compare);
    }
    for (uint32_t i = 1; i < traces && differ; i++) {
        differ = strcmp(named[i].name, named[i - 1].name) != 0;
        if (!differ) {
            snprintf(error, size, "'%.200s' and '%.200s' would both be '%.80s' in the results: "
                     "give one another name", named[i - 1].path, named[i].path, named[i].name);
        }
    }
    free(named);
    return differ;
}

// ---- which format ----------------------------------------------------------------------------

static const struct format *format_find(const char *name) {
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(formats[i]->name, name) == 0) {
            return formats[i];
        }
    }
    return NULL;
}

// A mark that no other file has goes before the name, the name before a guess.
static const struct format *format_guess(struct format_reader *reader) {
    char name[256];
    size_t length = format_input_fill(&reader->input, LOOK_BYTES);
    const unsigned char *bytes = format_input_here(&reader->input);
    if (format_own.recognise(bytes, length) || format_pcapng.recognise(bytes, length)) {
        return format_own.recognise(bytes, length) ? &format_own : &format_pcapng;
    }
    const struct format *named = name_split(reader->path, name, sizeof(name));
    if (named != NULL) {
        return named;
    }
    for (size_t i = 0; i < FORMATS; i++) {
        if (formats[i]->recognise != NULL &&
            formats[i]->recognise(bytes, length < LOOK_BYTES ? length : LOOK_BYTES)) {
            return formats[i];
        }
    }
    return &format_raw;
}

struct format_reader *format_open(const char *path, const char *format, char *error, size_t size) {
    struct format_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        snprintf(error, size, "out of memory: close other programs and try again");
        return NULL;
    }
    snprintf(reader->path, sizeof(reader->path), "%s", path);
    if (format != NULL && (reader->format = format_find(format)) == NULL) {
        snprintf(error, size, "there is no format '%s'; choose from %s", format, format_names());
        free(reader);
        return NULL;
    }
    if (!format_input_open(&reader->input, path)) {
        format_fail(reader, "%s", reader->input.problem);
    } else if (format_input_fill(&reader->input, 1) == 0 && reader->input.problem == NULL) {
        format_fail(reader, "it is empty: a trace has at least one reference");
    } else if (format_name_packed(reader->path) && reader->input.program == NULL) {
        format_fail(reader, "it is not packed as its name says: it is damaged, or misnamed");
    } else if (reader->format == NULL) {
        reader->format = format_guess(reader);
    }
    const char *problem = format_error(reader);
    if (problem != NULL) {
        snprintf(error, size, "%s", problem);
        format_close(reader);
        return NULL;
    }
    return reader;
}

size_t format_read(struct format_reader *reader, struct format_reference *out, size_t limit) {
    if (limit < READ_LEAST || format_error(reader) != NULL) {
        return 0;
    }
    size_t count = reader->format->read(reader, out, limit);
    if (format_error(reader) != NULL) {
        return 0;
    }
    reader->references += count;
    if (count == 0 && reader->references == 0) {
        format_fail(reader, "it holds no reference (read as %s; --format says otherwise)",
                    reader->format->name);
    }
    return count;
}

const char *format_error(const struct format_reader *reader) {
    if (reader->error[0] == 0 && reader->input.problem != NULL) {
        format_fail((struct format_reader *)reader, "%s", reader->input.problem);
    }
    return reader->error[0] == 0 ? NULL : reader->error;
}

void format_close(struct format_reader *reader) {
    if (reader->stream != NULL) {
        fclose(reader->stream);
    }
    format_input_close(&reader->input);
    free(reader->trace);
    free(reader->page_of_fault);
    free(reader);
}
