/*
 * task.h: what a caller asks for, checked before anything is sent.
 */
#ifndef HTTP_TASK_H
#define HTTP_TASK_H

#include "json.h"
#include "text.h"

enum { HEADER_LIMIT = 100, HEADER_BYTES_LIMIT = 8192, INLINE_LIMIT = 8 << 20, FILE_LIMIT = 1 << 30 };

/* A header to send. */
typedef struct header {
    text_t name;   /* a C string */
    text_t value;  /* the same; what stands before the secret, if there is one */
    text_t secret; /* the secret's name; empty: none */
} header_t;

/* OWNERSHIP: its texts are the task's; end it with task_free. Start from zeroes. */
typedef struct task {
    text_t url; /* a C string */
    char method[16];
    header_t headers[HEADER_LIMIT];
    size_t header_count;
    text_t body;
    bool has_body;
    text_t save_as; /* of an artifact, a C string; empty: the body goes into the result */
    size_t max_bytes;
    long timeout_seconds;
    long max_redirects;
} task_t;

/* Reads a payload; `is_get`: of the action that can do nothing else. False: `why` says which member will not do. */
bool task_read(task_t *task, json_t root, bool is_get, char *why, size_t why_size);

/* Whether the caller gives this header; in any case of letters. */
bool task_has_header(const task_t *task, const char *name);

/* Whether a header may have this value: one line, and not too long. */
bool header_value_is_good(const char *value);

void task_free(task_t *task);

#endif
