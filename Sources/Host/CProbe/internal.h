// What the steps of a session share.
#ifndef DOME_PROBE_INTERNAL_H
#define DOME_PROBE_INTERNAL_H

#include "frame.h"
#include "host.h"

#define INSTANCE_LIMIT 4

// The one session of the process.
struct session {
    const char *library;
    const char *directory;
    int channel;
    const dome_entry_t *entry;
    bool is_loaded;
    const dome_executor_api_t *executor;
    const dome_adapter_api_t *adapter;
    void *instances[INSTANCE_LIMIT];
    struct call_record record;
    int64_t took_us;
};

extern struct session the;

int64_t now_us(void);

// For the steps, which say whether they could be taken: answers why not.
bool cannot(const char *why);

// Runs a statement of the plugin's and notes how long it took.
#define TIMED(statement) \
    do { \
        int64_t began = now_us(); \
        statement; \
        the.took_us = now_us() - began; \
    } while (0)

// Of calls.c.
bool step_create(const struct frame *frame);
bool step_call(const struct frame *frame);
bool step_aside(const struct frame *frame);
bool step_extension(const struct frame *frame);
bool step_drive_table(const struct frame *frame);
bool step_drive(const struct frame *frame);
bool step_destroy(const struct frame *frame);
bool step_deinit(void);

#endif
