#define _DEFAULT_SOURCE
#include "query.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sqlite3.h>

#include "base64.h"
#include "decode.h"

enum { BUSY_TRIES = 500, BUSY_PAUSE_NANOSECONDS = 10000000, STEPS_BETWEEN_QUESTIONS = 20000 };

/* Beyond it a result belongs into a file, not into a job's output. */
#define RESULT_LIMIT ((size_t)8 << 20)

typedef struct run {
    const query_t *query;
    sqlite3 *database;
    sqlite3_stmt *statement;
    char *why;
    size_t why_size;
} run_t;

static int ask(void *context) {
    const query_t *query = context;
    return query->is_canceled != NULL && query->is_canceled(query->context);
}

/* Somebody else holds the database: waits five seconds in all, unless the job is canceled. */
static int wait_for_lock(void *context, int tries) {
    struct timespec pause = { .tv_nsec = BUSY_PAUSE_NANOSECONDS };
    if (tries >= BUSY_TRIES || ask(context)) {
        return 0;
    }
    nanosleep(&pause, NULL);
    return 1;
}

static query_end_t refuse(run_t *run, const char *what) {
    snprintf(run->why, run->why_size, "%s", what);
    return QUERY_REFUSED;
}

static query_end_t sqlite_failure(run_t *run, const char *what) {
    int code = sqlite3_errcode(run->database);
    snprintf(run->why, run->why_size, "%s: %s", what, sqlite3_errmsg(run->database));
    if (code == SQLITE_INTERRUPT || (code == SQLITE_BUSY && ask((void *)(uintptr_t)run->query))) {
        return QUERY_CANCELED;
    }
    return code == SQLITE_BUSY || code == SQLITE_LOCKED ? QUERY_BUSY : QUERY_REFUSED;
}

/* A path as the URI that SQLite takes: what would mean something there is escaped. */
static void write_uri(text_t *uri, const query_t *query) {
    text_literal(uri, "file:");
    for (const char *at = query->path; *at != 0; at++) {
        char escape[4];
        if (*at == '%' || *at == '?' || *at == '#') {
            snprintf(escape, sizeof escape, "%%%02X", (unsigned char)*at);
            text_add(uri, escape, 3);
        } else {
            text_add(uri, at, 1);
        }
    }
    if (query->is_immutable) {
        text_literal(uri, "?immutable=1");
    }
    text_add(uri, "", 1);
}

static query_end_t open_database(run_t *run) {
    const query_t *query = run->query;
    struct stat found;
    /* SQLite would wait for whoever writes into a FIFO. */
    if (stat(query->path, &found) == 0 && !S_ISREG(found.st_mode)) {
        return refuse(run, "\"path\" is no regular file");
    }
    int flags = SQLITE_OPEN_URI;
    flags |= query->is_writing ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    text_t uri = { .data = NULL };
    write_uri(&uri, query);
    int status = uri.failed ? SQLITE_NOMEM : sqlite3_open_v2(uri.data, &run->database, flags, NULL);
    text_free(&uri);
    if (status != SQLITE_OK) {
        return run->database == NULL ? refuse(run, "out of memory")
                                     : sqlite_failure(run, "the database cannot be opened (is it granted?)");
    }
    sqlite3_busy_handler(run->database, wait_for_lock, (void *)(uintptr_t)query);
    sqlite3_progress_handler(run->database, STEPS_BETWEEN_QUESTIONS, ask, (void *)(uintptr_t)query);
    return QUERY_DONE;
}

static query_end_t prepare(run_t *run) {
    const char *rest = NULL;
    if (sqlite3_prepare_v2(run->database, run->query->sql, -1, &run->statement, &rest) != SQLITE_OK) {
        return sqlite_failure(run, "the statement cannot be understood");
    }
    if (run->statement == NULL) {
        return refuse(run, "\"sql\" holds no statement");
    }
    if (rest[strspn(rest, " \t\r\n;")] != 0) {
        return refuse(run, "\"sql\" holds more than one statement: send them one by one");
    }
    return QUERY_DONE;
}

static bool bind_value(sqlite3_stmt *statement, int index, json_t value) {
    int64_t integer = 0;
    double real = 0;
    switch (json_kind(value)) {
    case JSON_NULL: return sqlite3_bind_null(statement, index) == SQLITE_OK;
    case JSON_TRUE: return sqlite3_bind_int(statement, index, 1) == SQLITE_OK;
    case JSON_FALSE: return sqlite3_bind_int(statement, index, 0) == SQLITE_OK;
    case JSON_NUMBER:
        if (json_integer(value, &integer)) {
            return sqlite3_bind_int64(statement, index, integer) == SQLITE_OK;
        }
        return json_double(value, &real) && sqlite3_bind_double(statement, index, real) == SQLITE_OK;
    case JSON_STRING: {
        text_t text = { .data = NULL };
        text_decode(&text, value);
        int status = text.failed ? SQLITE_NOMEM
                                 : sqlite3_bind_text64(statement, index, text.size > 0 ? text.data : "", text.size,
                                                       SQLITE_TRANSIENT, SQLITE_UTF8);
        text_free(&text);
        return status == SQLITE_OK;
    }
    default: return false;
    }
}

static int parameter_index(sqlite3_stmt *statement, json_t name) {
    text_t text = { .data = NULL };
    text_literal(&text, ":");
    text_decode(&text, name);
    text_add(&text, "", 1);
    int index = text.failed ? 0 : sqlite3_bind_parameter_index(statement, text.data);
    text_free(&text);
    return index;
}

static query_end_t bind(run_t *run) {
    json_walk_t walk = json_walk(run->query->parameters);
    json_t name, value;
    int given = 0, wanted = sqlite3_bind_parameter_count(run->statement);
    while (json_next(&walk, &name, &value)) {
        given++;
        int index = json_kind(name) == JSON_STRING ? parameter_index(run->statement, name) : given;
        if (index == 0 || index > wanted) {
            return refuse(run, "\"params\" has more values, or other names, than the statement");
        }
        if (!bind_value(run->statement, index, value)) {
            return refuse(run, "\"params\" may hold texts, numbers, true, false and null");
        }
    }
    if (given != wanted) {
        snprintf(run->why, run->why_size, "the statement has %d parameters, %d were given", wanted, given);
        return QUERY_REFUSED;
    }
    return QUERY_DONE;
}

static void write_value(text_t *text, sqlite3_stmt *statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: text_integer(text, sqlite3_column_int64(statement, column)); break;
    case SQLITE_FLOAT:
        if (!text_double(text, sqlite3_column_double(statement, column))) {
            text_literal(text, "null");
        }
        break;
    case SQLITE_TEXT: {
        const char *value = (const char *)sqlite3_column_text(statement, column);
        text_quote(text, value, (size_t)sqlite3_column_bytes(statement, column));
        break;
    }
    case SQLITE_BLOB: {
        const unsigned char *value = sqlite3_column_blob(statement, column);
        text_literal(text, "{\"base64\":\"");
        base64_encode(text, value, (size_t)sqlite3_column_bytes(statement, column));
        text_literal(text, "\"}");
        break;
    }
    default: text_literal(text, "null");
    }
}

static void write_columns(text_t *text, sqlite3_stmt *statement) {
    bool first = true;
    text_literal(text, "{\"columns\":[");
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        const char *name = sqlite3_column_name(statement, column);
        text_comma(text, &first);
        text_quote(text, name != NULL ? name : "", name != NULL ? strlen(name) : 0);
    }
    text_literal(text, "],\"rows\":[");
}

static query_end_t write_rows(run_t *run, text_t *text) {
    bool first = true, is_cut = false;
    int64_t rows = 0;
    int status;
    while ((status = sqlite3_step(run->statement)) == SQLITE_ROW) {
        /* What changes the database runs to its end, whatever is shown of it. */
        is_cut = is_cut || rows == run->query->row_limit || text->size > RESULT_LIMIT;
        if (is_cut && !run->query->is_writing) {
            break;
        }
        if (is_cut) {
            continue;
        }
        bool first_value = true;
        rows++;
        text_comma(text, &first);
        text_literal(text, "[");
        for (int column = 0; column < sqlite3_column_count(run->statement); column++) {
            text_comma(text, &first_value);
            write_value(text, run->statement, column);
        }
        text_literal(text, "]");
    }
    if (status != SQLITE_ROW && status != SQLITE_DONE) {
        return sqlite_failure(run, "the statement failed");
    }
    text_literal(text, "],\"truncated\":");
    text_add(text, is_cut ? "true" : "false", is_cut ? 4 : 5);
    if (run->query->is_writing) {
        text_literal(text, ",\"changes\":");
        text_integer(text, sqlite3_changes(run->database));
        text_literal(text, ",\"last_insert_rowid\":");
        text_integer(text, sqlite3_last_insert_rowid(run->database));
    }
    text_literal(text, "}");
    return QUERY_DONE;
}

query_end_t query_run(const query_t *query, text_t *result, char *why, size_t why_size) {
    run_t run = { .query = query, .why = why, .why_size = why_size };
    query_end_t end = open_database(&run);
    if (end == QUERY_DONE) {
        end = prepare(&run);
    }
    if (end == QUERY_DONE) {
        end = bind(&run);
    }
    if (end == QUERY_DONE) {
        write_columns(result, run.statement);
        end = write_rows(&run, result);
    }
    sqlite3_finalize(run.statement);
    sqlite3_close(run.database);
    if (end == QUERY_DONE && result->failed) {
        return refuse(&run, "out of memory");
    }
    return end;
}
