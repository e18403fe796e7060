// Requests and answers on the probe's channel: a 4-byte little-endian length, then a letter and fields, each a 4-byte
// length and its bytes. Numbers are fields of 8 bytes. Nothing here uses the heap: what is on it is the plugin's.
#ifndef DOME_PROBE_FRAME_H
#define DOME_PROBE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_LIMIT 8
// Of a request: the largest payload that a plugin is given, and some.
#define FRAME_LIMIT ((size_t)80 << 20)

struct field {
    const char *data;
    size_t size;
};

struct frame {
    char letter;
    size_t count;
    struct field fields[FIELD_LIMIT];
};

// Reads the next request into memory that stays until the next call. False at the channel's end or a broken frame.
bool frame_read(int channel, struct frame *frame);

struct field frame_field(const struct frame *frame, size_t index);
uint64_t frame_number(const struct frame *frame, size_t index);

// Begins an answer; fields are then appended, and the whole is sent.
void answer_begin(char letter);
void answer_bytes(const void *data, size_t size);
void answer_text(const char *text);
void answer_number(uint64_t number);
void answer_send(int channel);

// Sends a note of one text at once: safe in a signal handler.
void note_send(int channel, char letter, const char *text);

#endif
