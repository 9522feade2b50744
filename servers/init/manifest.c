// SPDX-License-Identifier: MIT
// Reads the manifest: see manifest.h.
#include "manifest.h"

// What a line said. Bits of `given` tell which keys stood there.
enum {
    KEY_RANK = 1, KEY_CEILING = 2, KEY_FRAMES = 4, KEY_DEVICE = 8, KEY_RESTART = 16, KEY_EACH = 32,
    KEY_SHARE = 64
};
struct statement {
    uint32_t given;
    uint32_t rank, frames, each;
    struct manifest_cpu cpu;
    enum device device;
};

static int read_device(struct word value, enum device *device) {
    static const char *const names[] = {"none", "disk", "serial", "trace"};
    for (uint32_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (word_is(value, names[i])) {
            *device = (enum device)i;
            return 1;
        }
    }
    return 0;
}

// Reads one key=value into the statement. Returns NULL, or what is wrong.
static const char *read_pair(struct word pair, struct statement *statement) {
    struct word key;
    struct word value = word_split(pair, '=', &key);
    uint32_t bit = word_is(key, "rank")      ? KEY_RANK
                   : word_is(key, "ceiling") ? KEY_CEILING
                   : word_is(key, "frames")  ? KEY_FRAMES
                   : word_is(key, "device")  ? KEY_DEVICE
                   : word_is(key, "restart") ? KEY_RESTART
                   : word_is(key, "each")    ? KEY_EACH
                   : word_is(key, "share")   ? KEY_SHARE
                                             : 0;
    if (bit == 0 || value.start == NULL) {
        return "there are rank= ceiling= share= frames= each= device= restart=";
    }
    if (statement->given & bit) {
        return "a key stands there twice";
    }
    statement->given |= bit;
    switch (bit) {
    case KEY_RANK:
        return word_number(value, &statement->rank) && statement->rank <= MANIFEST_RANK_MAX
                   ? NULL : "rank= needs a number up to 31";
    case KEY_CEILING:
        return word_number(value, &statement->cpu.ceiling) &&
                       statement->cpu.ceiling <= MANIFEST_RANK_MAX
                   ? NULL : "ceiling= needs a number up to 31";
    case KEY_SHARE:
        return word_number(value, &statement->cpu.share) && statement->cpu.share > 0 &&
                       statement->cpu.share <= SHARE_MAX
                   ? NULL : "share= needs a number from 1 to 100";
    case KEY_FRAMES:
        statement->frames = MANIFEST_REST;
        return word_is(value, "rest") || word_number(value, &statement->frames)
                   ? NULL : "frames= needs a number or rest";
    case KEY_EACH:
        return word_number(value, &statement->each) ? NULL : "each= needs a number";
    case KEY_DEVICE:
        return read_device(value, &statement->device)
                   ? NULL : "device= needs none, disk, serial or trace";
    default:
        return word_is(value, "never") ? NULL : "restart= needs never";
    }
}

static const char *add_server(struct manifest *manifest, struct word name,
                              const struct statement *statement) {
    uint32_t optional = KEY_DEVICE | KEY_CEILING | KEY_SHARE;
    if ((statement->given & ~optional) != (KEY_RANK | KEY_FRAMES | KEY_RESTART)) {
        return "a server needs rank= frames= restart=, and may have device= ceiling= share=";
    }
    if (statement->given & KEY_CEILING && statement->cpu.ceiling < statement->rank) {
        return "a server works at its rank: ceiling= must not be lower";
    }
    if (manifest->server_count == MANIFEST_SERVERS_MAX) {
        return "more servers than there may be";
    }
    struct manifest_server *server = &manifest->server[manifest->server_count];
    if (!word_name(name, server->name)) {
        return "a server needs a name of up to 31 letters";
    }
    if (manifest_find(manifest, server->name) != NULL) {
        return "this server stands there twice";
    }
    for (uint32_t i = 0; i < manifest->server_count; i++) {
        if (statement->frames == MANIFEST_REST &&
            manifest->server[i].frames == MANIFEST_REST) {
            return "only one server can have the rest of the frames";
        }
    }
    server->rank = statement->rank;
    server->cpu.ceiling = MAX_OF(statement->rank, statement->cpu.ceiling);
    server->cpu.share = statement->cpu.share;
    server->frames = statement->frames;
    server->device = statement->device;
    manifest->server_count++;
    return NULL;
}

static const char *add_programs(struct manifest *manifest, const struct statement *statement) {
    if ((statement->given & ~KEY_SHARE) != (KEY_RANK | KEY_CEILING | KEY_FRAMES | KEY_EACH) ||
        statement->frames == MANIFEST_REST || statement->frames == 0) {
        return "programs need rank= ceiling= each= and a number of frames=";
    }
    if (statement->each < MANIFEST_EACH_MIN || statement->each > statement->frames) {
        return "each= must be 24 at least, and frames= at most";
    }
    manifest->program_rank = statement->rank;
    manifest->program_cpu = statement->cpu;
    manifest->program_frames = statement->frames;
    manifest->program_each = statement->each;
    return NULL;
}

static const struct manifest_program *own_line(const struct manifest *manifest,
                                                   const char *name) {
    for (uint32_t i = 0; i < manifest->program_count; i++) {
        if (name_is(manifest->program[i].name, name)) {
            return &manifest->program[i];
        }
    }
    return NULL;
}

static const char *add_program(struct manifest *manifest, struct word name,
                               const struct statement *statement) {
    if (statement->given == 0 || statement->given & ~(KEY_CEILING | KEY_SHARE)) {
        return "a program's own line needs ceiling= or share=, and has nothing else";
    }
    if (manifest->program_count == MANIFEST_PROGRAMS_MAX) {
        return "more programs with lines of their own than there may be";
    }
    struct manifest_program *program = &manifest->program[manifest->program_count];
    if (!word_name(name, program->name)) {
        return "a program needs a name of up to 31 letters";
    }
    if (own_line(manifest, program->name) != NULL) {
        return "this program stands there twice";
    }
    program->cpu = statement->cpu;
    program->has_ceiling = (statement->given & KEY_CEILING) != 0;
    program->has_share = (statement->given & KEY_SHARE) != 0;
    manifest->program_count++;
    return NULL;
}

static const char *add_init(struct manifest *manifest, const struct statement *statement) {
    if (statement->given != KEY_FRAMES || statement->frames == MANIFEST_REST ||
        statement->frames == 0) {
        return "init needs a number of frames=";
    }
    manifest->init_frames = statement->frames;
    return NULL;
}

static const char *read_line(struct word line, struct manifest *manifest) {
    struct statement statement = {.cpu.share = SHARE_DEFAULT};
    struct word what = word_next(&line, " \t\r");
    if (what.length == 0) {
        return NULL;
    }
    int is_server = word_is(what, "server");
    int is_program = word_is(what, "program");
    if (!is_server && !is_program && !word_is(what, "programs") && !word_is(what, "init")) {
        return "a line begins with server, programs, program or init";
    }
    struct word name = is_server || is_program ? word_next(&line, " \t\r") : what;
    struct word pair = word_next(&line, " \t\r");
    for (; pair.length > 0; pair = word_next(&line, " \t\r")) {
        const char *wrong = read_pair(pair, &statement);
        if (wrong != NULL) {
            return wrong;
        }
    }
    if (is_server) {
        return add_server(manifest, name, &statement);
    }
    if (is_program) {
        return add_program(manifest, name, &statement);
    }
    return word_is(what, "programs") ? add_programs(manifest, &statement)
                                     : add_init(manifest, &statement);
}

int manifest_parse(const char *text, uint32_t length, struct manifest *manifest,
                   field_text *error) {
    struct word rest = {text, length};
    *manifest = (struct manifest){0};
    text_clear(error);
    for (uint32_t number = 1; rest.start != NULL && rest.length > 0; number++) {
        struct word line, statement;
        rest = word_split(rest, '\n', &line);
        (void)word_split(line, '#', &statement);
        const char *wrong = read_line(statement, manifest);
        if (wrong != NULL) {
            text_add(error, "manifest line ");
            text_add_number(error, number);
            text_join(error, ": ", wrong, NULL);
            return 0;
        }
    }
    if (manifest->program_frames == 0 || manifest->init_frames == 0) {
        text_add(error, "the manifest lacks its line for programs or for init");
        return 0;
    }
    return 1;
}

struct manifest_cpu manifest_program_cpu(const struct manifest *manifest, const char *name) {
    const struct manifest_program *own = own_line(manifest, name);
    struct manifest_cpu cpu = manifest->program_cpu;
    if (own != NULL && own->has_ceiling) {
        cpu.ceiling = own->cpu.ceiling;
    }
    if (own != NULL && own->has_share) {
        cpu.share = own->cpu.share;
    }
    return cpu;
}

const struct manifest_server *manifest_find(const struct manifest *manifest, const char *name) {
    for (uint32_t i = 0; i < manifest->server_count; i++) {
        if (name_is(manifest->server[i].name, name)) {
            return &manifest->server[i];
        }
    }
    return NULL;
}
