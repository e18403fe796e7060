/*
 * query.h: one statement on one database file.
 */
#ifndef SQLITE_QUERY_H
#define SQLITE_QUERY_H

#include <stdint.h>

#include "json.h"
#include "text.h"

typedef struct query {
    const char *path;
    const char *sql;
    json_t parameters; /* an array, for ?1 …; or an object, for :name; absent: none */
    int64_t row_limit;
    bool is_writing;
    bool is_immutable; /* the file is not changed by anybody: needs no lock and no files beside it */
    /* Whether to stop; asked about every millisecond of work. */
    bool (*is_canceled)(void *context);
    void *context;
} query_t;

typedef enum query_end {
    QUERY_DONE,
    QUERY_REFUSED, /* the statement or the file will not do */
    QUERY_BUSY,    /* somebody else holds it */
    QUERY_CANCELED,
} query_end_t;

/* Runs it and appends {"columns", "rows", …}. Other than QUERY_DONE: `why` has the reason. */
query_end_t query_run(const query_t *query, text_t *result, char *why, size_t why_size);

#endif
