// SPDX-License-Identifier: MIT
// quire-lab dissector: prints a dissector for Wireshark and tshark in Lua. Its tables are
// expansions of abi/ipc.def, abi/event.def and abi/error.def; its text, below, knows no message.
//   quire lab dissector > quire.lua && tshark -X lua_script:quire.lua -r trace.pcapng
#include "dissector.h"
#include <stdbool.h>
#include <string.h>
#include "lab.h"
#include "pcapng.h"
#include "trace_names.h"

static void print_events(FILE *out) {
    fputs("local kinds, event_words = {}, {}\n", out);
    for (const struct trace_event *event = trace_events; event->name != NULL; event++) {
        fprintf(out, "kinds[%u] = \"%s\"; event_words[%u] = {\"%s\", \"%s\", \"%s\"}\n",
                event->kind, event->name, event->kind, event->word[0], event->word[1],
                event->word[2]);
    }
}

// The names of the words 0 and 1, which are those that a record holds.
static void print_words(FILE *out, const char *table, uint32_t label,
                        const struct trace_field *field) {
    fprintf(out, "%s[%u] = {", table, label);
    for (uint32_t at = 0; field->type != NULL && at < 2; field++) {
        fprintf(out, "\"%s\", ", field->name);
        at += trace_field_words(field);
    }
    fputs("}\n", out);
}

static void print_messages(FILE *out) {
    fputs("local labels, request_words, reply_words = {}, {}, {}\n", out);
    for (const struct trace_message *message = trace_messages; message->name != NULL; message++) {
        fprintf(out, "labels[%u] = \"%s.%s\"\n", message->label, message->interface, message->name);
        print_words(out, "request_words", message->label, message->in);
        print_words(out, "reply_words", message->label, message->out);
    }
    fputs("local errors = {}\n", out);
    for (uint32_t error = 0; trace_error_name(error) != NULL; error++) {
        fprintf(out, "errors[%u] = \"%s\"\n", error, trace_error_name(error));
    }
}

static void print_constants(FILE *out) {
    fprintf(out, "local DATA_BYTES = %zu\n", PCAPNG_DATA_BYTES);
    fprintf(out, "local CALL, RECEIVE, REPLY, FAULT = %d, %d, %d, %d\n", EVENT_call,
            EVENT_receive, EVENT_reply, EVENT_fault);
    fprintf(out, "local FIRST_DECISION = %d\n", EVENT_admit);
    fprintf(out, "local KERNEL_CALL, TASK_NAME = %d, %d\n", EVENT_kernel_call, EVENT_task_name);
}

static const char *const body[] = {
    "local quire = Proto(\"quire\", \"Quire trace\")",
    "local field = {",
    "    kind = ProtoField.uint16(\"quire.kind\", \"Kind\", base.DEC, kinds),",
    "    task = ProtoField.uint16(\"quire.task\", \"Task\"),",
    "    name = ProtoField.string(\"quire.name\", \"Task name\"),",
    "    thread = ProtoField.uint16(\"quire.thread\", \"Thread\"),",
    "    peer = ProtoField.uint16(\"quire.peer\", \"Peer\"),",
    "    id = ProtoField.uint32(\"quire.id\", \"Id\"),",
    "    cause = ProtoField.uint32(\"quire.cause\", \"Cause\"),",
    "    tag = ProtoField.uint32(\"quire.tag\", \"Tag\", base.HEX),",
    "    label = ProtoField.uint16(\"quire.label\", \"Message\", base.HEX, labels),",
    "    error = ProtoField.uint32(\"quire.error\", \"Error\", base.DEC, errors),",
    "    word0 = ProtoField.uint32(\"quire.word0\", \"Word 0\", base.HEX_DEC),",
    "    word1 = ProtoField.uint32(\"quire.word1\", \"Word 1\", base.HEX_DEC),",
    "    word2 = ProtoField.uint32(\"quire.word2\", \"Word 2\", base.HEX_DEC),",
    "    request = ProtoField.framenum(\"quire.request\", \"Request\", base.NONE,",
    "                                  frametype.REQUEST),",
    "}",
    "quire.fields = field",
    "local malformed = ProtoExpert.new(\"quire.malformed\", \"Malformed record\",",
    "                                  expert.group.MALFORMED, expert.severity.ERROR)",
    "quire.experts = {malformed}",
    "",
    "-- Of each request: its frame and label. Filled while the file is read first.",
    "local frame_of, label_of, name_of = {}, {}, {}",
    "function quire.init()",
    "    frame_of, label_of, name_of = {}, {}, {}",
    "end",
    "",
    "local function task_text(task)",
    "    return name_of[task] or (\"task \" .. task)",
    "end",
    "",
    "-- Servers count in pages: shown as addresses, as the kernel's records are.",
    "local function words_text(names, buffer)",
    "    local decision = names and buffer(0, 2):le_uint() >= FIRST_DECISION",
    "    local parts = {}",
    "    for i, name in ipairs(names or {}) do",
    "        if name ~= \"-\" then",
    "            local value = buffer(20 + 4 * (i - 1), 4):le_uint()",
    "            if decision and name == \"page\" then value = value * 4096 end",
    "            local form = value < 1000000 and \"%s=%d\" or \"%s=0x%x\"",
    "            parts[#parts + 1] = string.format(form, name, value)",
    "        end",
    "    end",
    "    return table.concat(parts, \", \")",
    "end",
    "",
    "local function request_text(kind, label, buffer)",
    "    local name = labels[label] or string.format(\"message 0x%x\", label)",
    "    return name .. \"(\" .. words_text(request_words[label], buffer) .. \")\"",
    "end",
    "",
    "local function reply_text(cause, tag, label, buffer)",
    "    label = label_of[cause] or label",
    "    local name = labels[label] or \"reply\"",
    "    if tag >= 0x80000000 then",
    "        local error = 0x100000000 - tag",
    "        return name .. \" = \" .. (errors[error] or (\"error \" .. error))",
    "    end",
    "    local items = math.floor(tag / 0x4000000) % 32",
    "    if items > 0 then return name .. \" = \" .. items .. \" mapped\" end",
    "    return name .. \" = \" .. words_text(reply_words[label], buffer)",
    "end",
    "",
    "function quire.dissector(buffer, pinfo, tree)",
    "    local item = tree:add(quire, buffer())",
    "    pinfo.cols.protocol = \"Quire\"",
    "    if buffer:len() ~= DATA_BYTES or not kinds[buffer(0, 2):le_uint()] then",
    "        item:add_proto_expert_info(malformed)",
    "        pinfo.cols.info = \"[Malformed record]\"",
    "        return",
    "    end",
    "    local kind, task = buffer(0, 2):le_uint(), buffer(2, 2):le_uint()",
    "    local id, cause = buffer(8, 4):le_uint(), buffer(12, 4):le_uint()",
    "    local tag = buffer(16, 4):le_uint()",
    "    local label = tag % 0x10000",
    "    if kind == TASK_NAME then name_of[buffer(6, 2):le_uint()] = buffer(20, 12):stringz() end",
    "    item:add_le(field.kind, buffer(0, 2))",
    "    item:add_le(field.task, buffer(2, 2)):append_text(\" (\" .. task_text(task) .. \")\")",
    "    item:add_le(field.thread, buffer(4, 2))",
    "    item:add_le(field.peer, buffer(6, 2))",
    "    if id ~= 0 then item:add_le(field.id, buffer(8, 4)) end",
    "    if cause ~= 0 then item:add_le(field.cause, buffer(12, 4)) end",
    "    if frame_of[cause] then item:add(field.request, frame_of[cause]) end",
    "    item:add_le(field.tag, buffer(16, 4))",
    "    local text",
    "    if kind == CALL or kind == FAULT or kind == RECEIVE or kind == KERNEL_CALL then",
    "        text = request_text(kind, label, buffer)",
    "        item:add(field.label, buffer(16, 2), label)",
    "        if kind == KERNEL_CALL then",
    "            item:add_le(field.error, buffer(28, 4))",
    "            local error = buffer(28, 4):le_uint()",
    "            text = text .. \" = \" .. (errors[error] or error)",
    "        end",
    "        if (kind == CALL or kind == FAULT) and not pinfo.visited then",
    "            frame_of[id], label_of[id] = pinfo.number, label",
    "        end",
    "    elseif kind == REPLY then",
    "        text = reply_text(cause, tag, label, buffer)",
    "        item:add(field.label, buffer(16, 2), label_of[cause] or label)",
    "        if tag >= 0x80000000 then",
    "            item:add(field.error, buffer(16, 4), 0x100000000 - tag)",
    "        end",
    "    elseif kind == TASK_NAME then",
    "        text = buffer(20, 12):stringz()",
    "        item:add(field.name, buffer(20, 12))",
    "    else",
    "        text = words_text(event_words[kind], buffer)",
    "    end",
    "    item:add_le(field.word0, buffer(20, 4))",
    "    item:add_le(field.word1, buffer(24, 4))",
    "    item:add_le(field.word2, buffer(28, 4))",
    "    pinfo.cols.src = task_text(task)",
    "    pinfo.cols.info = kinds[kind] .. \" \" .. text",
    "    item:append_text(\", \" .. kinds[kind] .. \" \" .. text)",
    "end",
    "",
    "DissectorTable.get(\"wtap_encap\"):add(wtap.USER0, quire)",
};

void dissector_print(FILE *out) {
    fputs("-- Generated by quire lab dissector from abi/*.def.\n", out);
    print_events(out);
    print_messages(out);
    print_constants(out);
    for (uint32_t i = 0; i < ARRAY_LENGTH(body); i++) {
        fprintf(out, "%s\n", body[i]);
    }
}

int dissector_main(int count, char **words) {
    if (count > 1) {
        bool help = strcmp(words[1], "-h") == 0 || strcmp(words[1], "--help") == 0;
        fputs("usage: quire lab dissector > quire.lua\n"
              "then: tshark -X lua_script:quire.lua -r TRACE.pcapng\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    dissector_print(stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
