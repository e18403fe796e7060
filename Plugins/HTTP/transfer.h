/*
 * transfer.h: one request and its answer, without following anything.
 */
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include "job.h"
#include "rules.h"
#include "task.h"
#include "text.h"

/* What ended a transfer that the library did not end by itself. */
typedef enum transfer_stop {
    STOP_NONE,
    STOP_CANCELED,
    STOP_TIME,
    STOP_FULL,     /* the body is longer than wanted */
    STOP_HEADERS,  /* the headers are longer than anybody needs */
    STOP_REDIRECT, /* the body of a redirect is not wanted */
    STOP_DISK,     /* the artifact took no more */
    STOP_MEMORY,
} transfer_stop_t;

/* OWNERSHIP: what it holds is the transfer's; end it with transfer_free. Start from zeroes, then fill in the first
 * part. */
typedef struct transfer {
    const job_t *job;
    const rules_t *rules;
    const task_t *task;
    const place_t *place;
    CURLM *multi;
    struct curl_slist *headers; /* to send */
    const char *method;
    bool sends_body;
    bool follows; /* whether a redirect is going to be followed */
    size_t limit;     /* of the body, in bytes */
    int64_t deadline; /* nanoseconds, monotonic */

    CURL *easy;
    transfer_stop_t stop;
    CURLcode code;
    char words[CURL_ERROR_SIZE]; /* the library's, of a failure */
    long status;
    text_t location; /* a C string; empty: none */
    size_t header_bytes;
    text_t body;
    dome_artifact_t *artifact; /* instead of `body` */
    size_t received;
    size_t told; /* of `received`, by progress */
    bool has_refused; /* an address that the rules do not allow */
    address_t refused;
    int64_t asked, reported; /* when the host was last asked and told something */
} transfer_t;

/* Does it. DOME_OK: there is an answer, whole, or cut as `stop` says; otherwise why was said. */
dome_status_t transfer_run(transfer_t *transfer);

/* Whether the answer sends us elsewhere. */
bool transfer_is_redirect(const transfer_t *transfer);

/* Nanoseconds of the monotonic clock. */
int64_t transfer_now(void);

void transfer_free(transfer_t *transfer);

#endif
