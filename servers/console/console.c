// SPDX-License-Identifier: MIT
// The console server: shares one serial terminal among all programs (interface console of
// abi/ipc.def). One thread that waits for nothing but its next message or interrupt. A client
// whose output does not fit is answered late and so waits alone; clients that wait are served in
// the order in which they came, and each has at most one message waiting, so all have their turn.
// Calls nobody but kernel objects. Every field of a message is the caller's allegation.
#define SERVE_NUMBER 34
#include "serve.h"
#include "stubs.h"
#include "terminal.h"
#include "uart.h"

_Static_assert(TEXT_BYTES == TERMINAL_PRINT_MAX, "a message is printed at once");
_Static_assert(TEXT_BYTES == LINE_TEXT_MAX + 1, "a line and its newline fit a message");

#define INIT_BADGE 1u
#define WRITERS_MAX 64u
#define READERS_MAX 32u
#define FLUSHES_MAX 32u

static struct terminal terminal;
static struct byte_ring input;  // bytes that came in and that nobody has read yet

// Clients that wait, oldest first. The line being edited is that of reader 0.
static struct {
    token_t token;
    badge_t badge;
    field_text text;
} writer[WRITERS_MAX];  // number n stands at n % WRITERS_MAX
static uint32_t writers_in, writers_out;

static struct {
    token_t token;
    badge_t badge;
    field_text prompt;
} reader[READERS_MAX];
static uint32_t reader_count;

static struct {
    token_t token;
    badge_t badge;
    uint32_t until;  // answered when byte number `until` of the output has left
} flush[FLUSHES_MAX];
static uint32_t flush_count;

// A client that no longer waits needs no answer.
static void answer(token_t token, uint32_t label, uint32_t words, const uint32_t *word) {
    if (ipc_reply(token, TAG(label, words, 0, 0), word) != OK) {
        return;
    }
}

// ---- writing ---------------------------------------------------------------------------------
static int serve_console_write(const struct request *request, const struct console_write_in *in,
                               struct console_write_out *out) {
    (void)out;
    if (in->text.length > TEXT_BYTES) {
        return E_ARGUMENT;
    }
    if (writers_in == writers_out && byte_ring_room(&terminal.out) >= TERMINAL_ROOM_PRINT) {
        terminal_print(&terminal, in->text.bytes, in->text.length);
        return OK;
    }
    if (writers_in - writers_out == WRITERS_MAX) {
        return E_LIMIT;
    }
    writer[writers_in % WRITERS_MAX].token = request->token;
    writer[writers_in % WRITERS_MAX].badge = request->badge;
    writer[writers_in % WRITERS_MAX].text = in->text;
    writers_in++;
    return REPLY_LATER;
}

static void writers_admit(void) {
    while (writers_in != writers_out && byte_ring_room(&terminal.out) >= TERMINAL_ROOM_PRINT) {
        uint32_t oldest = writers_out++ % WRITERS_MAX;
        terminal_print(&terminal, writer[oldest].text.bytes, writer[oldest].text.length);
        answer(writer[oldest].token, LABEL_console_write, 0, NULL);
    }
}

static void writers_forget(badge_t badge) {
    uint32_t kept = writers_out;
    for (uint32_t n = writers_out; n != writers_in; n++) {
        if (writer[n % WRITERS_MAX].badge != badge) {
            writer[kept++ % WRITERS_MAX] = writer[n % WRITERS_MAX];
        }
    }
    writers_in = kept;
}

// ---- reading ---------------------------------------------------------------------------------
static int serve_console_read_line(const struct request *request,
                                   const struct console_read_line_in *in,
                                   struct console_read_line_out *out) {
    (void)out;
    if (in->prompt.length > TEXT_BYTES) {
        return E_ARGUMENT;
    }
    if (reader_count == READERS_MAX) {
        return E_LIMIT;
    }
    reader[reader_count].token = request->token;
    reader[reader_count].badge = request->badge;
    reader[reader_count].prompt = in->prompt;
    reader_count++;
    return REPLY_LATER;
}

static void reader_drop(uint32_t index) {
    reader_count--;
    __builtin_memmove(&reader[index], &reader[index + 1],
                      (reader_count - index) * sizeof reader[0]);
}

// A line ends with a newline; end of input has none.
static void reader_answer(enum line_result result) {
    union {
        struct console_read_line_out out;
        uint32_t word[BODY_WORDS(struct console_read_line_out)];
    } reply = {0};
    field_text *line = &reply.out.line;
    if (result == LINE_DONE) {
        const struct line_text *text = &terminal.edit.text;
        __builtin_memcpy(line->bytes, text->byte, text->length);
        line->bytes[text->length] = '\n';
        line->length = text->length + 1;
    }
    token_t token = reader[0].token;
    reader_drop(0);
    answer(token, LABEL_console_read_line, BODY_WORDS(reply.out), reply.word);
}

static void readers_serve(void) {
    while (reader_count > 0 && byte_ring_room(&terminal.out) >= TERMINAL_ROOM_TYPE) {
        if (!terminal.editing) {
            terminal_begin(&terminal, reader[0].prompt.bytes, reader[0].prompt.length);
        } else if (byte_ring_used(&input) > 0) {
            enum line_result result = terminal_type(&terminal, byte_ring_take(&input));
            if (result != LINE_MORE) {
                reader_answer(result);
            }
        } else {
            return;
        }
    }
}

static void readers_forget(badge_t badge) {
    bool edited = reader_count > 0 && reader[0].badge == badge;
    for (uint32_t i = reader_count; i-- > 0;) {
        if (reader[i].badge == badge) {
            reader_drop(i);
        }
    }
    if (edited && terminal.editing) {
        terminal_abandon(&terminal);
    }
}

// ---- flushing --------------------------------------------------------------------------------
static int serve_console_flush(const struct request *request, const struct console_flush_in *in,
                               struct console_flush_out *out) {
    (void)in;
    (void)out;
    if (flush_count == FLUSHES_MAX) {
        return E_LIMIT;
    }
    flush[flush_count].token = request->token;
    flush[flush_count].badge = request->badge;
    flush[flush_count].until = terminal.out.in;
    flush_count++;
    return REPLY_LATER;
}

// A byte has left for good when the device is empty, or when a FIFO of later ones has followed it.
static bool flush_done(uint32_t until) {
    int32_t past = (int32_t)(terminal.out.out - until);
    return past >= 32 || (past >= 0 && byte_ring_used(&terminal.out) == 0 && uart_drained());
}

static void flushes_answer(void) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < flush_count; i++) {
        if (flush_done(flush[i].until)) {
            answer(flush[i].token, LABEL_console_flush, 0, NULL);
        } else {
            flush[kept++] = flush[i];
        }
    }
    flush_count = kept;
}

static void flushes_forget(badge_t badge) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < flush_count; i++) {
        if (flush[i].badge != badge) {
            flush[kept++] = flush[i];
        }
    }
    flush_count = kept;
}

// ---- clients that have died ------------------------------------------------------------------
static int serve_console_forget(const struct request *request, const struct console_forget_in *in,
                                struct console_forget_out *out) {
    (void)out;
    if (request->badge != INIT_BADGE) {
        return E_DENIED;
    }
    writers_forget(in->task);
    readers_forget(in->task);
    flushes_forget(in->task);
    return OK;
}

// ---- the server ------------------------------------------------------------------------------
static bool work_waits(void) {
    return writers_in != writers_out || (reader_count > 0 && byte_ring_used(&input) > 0);
}

// Moves everything on as far as it goes. Ends with an empty ring and nothing that waits for room
// in it, or with a transmit interrupt on its way.
static void console_work(void) {
    do {
        writers_admit();
        readers_serve();
        uart_send(&terminal.out, flush_count > 0);
    } while (byte_ring_used(&terminal.out) == 0 && work_waits());
    uart_listen(&input);
    flushes_answer();
}

void server_main(void);
void server_main(void) {
    struct received received;
    union serve_body reply;
    uart_start(&input);
    ipc_receive(HANDLE(SLOT_PORT), &received);
    for (;;) {
        bool event = !TAG_IS_ERROR(received.tag) && TAG_LABEL(received.tag) == LABEL_EVENT;
        tag_t tag = 0;
        if (event) {
            uart_interrupt(&input);
        } else if (!TAG_IS_ERROR(received.tag)) {
            tag = serve_request(&received, &reply);
        }
        console_work();
        if (event) {
            uart_acknowledge();
        }
        if (tag != 0) {
            ipc_reply_receive(HANDLE(SLOT_PORT), received.token, tag, reply.word, &received);
        } else {
            ipc_receive(HANDLE(SLOT_PORT), &received);
        }
    }
}
