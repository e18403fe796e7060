#include "exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "decode.h"
#include "transfer.h"

typedef struct exchange {
    const job_t *job;
    const rules_t *rules;
    const task_t *task;
    text_t *result;
    place_t place;
    place_t first; /* where the caller's own headers were meant to go */
    CURLM *multi;
    struct curl_slist *headers;
    char method[16];
    bool sends_body;
    long redirects;
    size_t limit;
    int64_t deadline;
} exchange_t;

bool exchange_is_allowed(const rules_t *rules, const place_t *place, char *why, size_t why_size) {
    if (!rules_allow_host(rules, place)) {
        snprintf(why, why_size,
                 "%s:%ld is not allowed: put it into \"hosts\" in the configuration of plugin dome.http", place->host,
                 place->port);
        return false;
    }
    return true;
}

static bool add_raw(exchange_t *exchange, const char *line) {
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    exchange->headers = longer != NULL ? longer : exchange->headers;
    return longer != NULL;
}

/* Adds one header line. An empty value has a spelling of its own there. */
static bool add_line(exchange_t *exchange, const char *name, const char *before, const char *value, size_t size) {
    text_t line = { .data = NULL };
    bool is_empty = size == 0 && before[0] == 0;
    text_add(&line, name, strlen(name));
    text_add(&line, is_empty ? ";" : ": ", is_empty ? 1 : 2);
    text_add(&line, before, strlen(before));
    text_add(&line, value, size);
    text_add(&line, "", 1);
    bool is_added = !line.failed && add_raw(exchange, line.data);
    text_free(&line);
    return is_added;
}

/* Adds a header with a secret in it; leaves it out where a redirect has led to who may not be told. */
static dome_status_t add_secret(exchange_t *exchange, const header_t *header) {
    const job_t *job = exchange->job;
    const char *name = header->secret.data, *data = NULL;
    const char *host = exchange->place.host;
    size_t size = 0;
    bool is_allowed = rules_allow_secret(exchange->rules, name, &exchange->place);
    if (exchange->redirects > 0 && (!is_allowed || !exchange->place.is_https)) {
        return DOME_OK;
    }
    if (!is_allowed) {
        return job_fail(job, DOME_DENIED,
                        "secret %s may not be told to %s: allow it by \"secret_hosts\" in the configuration of plugin "
                        "dome.http",
                        name, host);
    }
    if (!exchange->place.is_https) {
        return job_fail(job, DOME_DENIED, "secret %s is sent by https:// alone", name);
    }
    if (job->secrets == NULL || !job->secrets->get(job->host, name, header->secret.size - 1, &data, &size)) {
        return job_fail(job, DOME_NOT_FOUND,
                        "secret %s is not set: write it to dome/secrets/dome.http/%s in your folder of "
                        "configurations; the names that can be used are in plugin.json",
                        name, name);
    }
    /* Files end with a line break. */
    while (size > 0 && (data[size - 1] == '\n' || data[size - 1] == '\r')) {
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)data[i] < ' ' || data[i] == 0x7f) {
            return job_fail(job, DOME_INVALID, "secret %s holds more than one line, or control characters", name);
        }
    }
    const char *prefix = header->value.size > 0 ? header->value.data : "";
    if (size > HEADER_BYTES_LIMIT || !add_line(exchange, header->name.data, prefix, data, size)) {
        return job_fail(job, DOME_INVALID, "secret %s is longer than 8192 bytes", name);
    }
    return DOME_OK;
}

/* Whether a header goes to where a redirect has led. */
static bool goes_along(const exchange_t *exchange, const char *name) {
    if (!exchange->sends_body && strcasecmp(name, "content-type") == 0) {
        return false;
    }
    return place_is_same_origin(&exchange->first, &exchange->place) ||
           (strcasecmp(name, "authorization") != 0 && strcasecmp(name, "cookie") != 0);
}

static dome_status_t make_headers(exchange_t *exchange) {
    const task_t *task = exchange->task;
    bool is_good = true;
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    for (size_t i = 0; i < task->header_count && is_good; i++) {
        const header_t *header = &task->headers[i];
        if (header->secret.size > 0) {
            dome_status_t status = add_secret(exchange, header);
            if (status != DOME_OK) {
                return status;
            }
        } else if (goes_along(exchange, header->name.data)) {
            is_good = add_line(exchange, header->name.data, "", header->value.data, header->value.size - 1);
        }
    }
    /* The library's own ideas. */
    is_good = is_good && add_raw(exchange, "Expect:");
    if (!task_has_header(task, "content-type")) {
        is_good = is_good && add_raw(exchange, "Content-Type:");
    }
    if (!task_has_header(task, "user-agent") && is_good) {
        is_good = add_line(exchange, "User-Agent", "", "dome-http/0.1.0", 15);
    }
    return is_good ? DOME_OK : job_fail(exchange->job, DOME_UNAVAILABLE, "out of memory");
}

/* Goes on to where the answer points. */
static dome_status_t follow(exchange_t *exchange, const transfer_t *transfer) {
    const job_t *job = exchange->job;
    bool was_https = exchange->place.is_https;
    if (++exchange->redirects > exchange->task->max_redirects) {
        return job_fail(job, DOME_UNAVAILABLE, "%s: redirected more than %ld times (\"max_redirects\")",
                        exchange->place.host, exchange->task->max_redirects);
    }
    char from[HOST_LIMIT], why[512];
    memcpy(from, exchange->place.host, sizeof from);
    const char *wrong = place_follow(&exchange->place, transfer->location.data);
    if (wrong != NULL) {
        return job_fail(job, DOME_DENIED, "%s: redirects to what is not fetched: %s", from, wrong);
    }
    if (!exchange_is_allowed(exchange->rules, &exchange->place, why, sizeof why)) {
        return job_fail(job, DOME_DENIED, "%s: redirects to a host that is not allowed: %s", from, why);
    }
    if (was_https && !exchange->place.is_https) {
        return job_fail(job, DOME_DENIED, "%s: redirects from https:// to http://", from);
    }
    bool was_post = strcmp(exchange->method, "POST") == 0;
    if ((transfer->status == 303 && strcmp(exchange->method, "HEAD") != 0) ||
        (was_post && (transfer->status == 301 || transfer->status == 302))) {
        strcpy(exchange->method, "GET");
        exchange->sends_body = false;
    }
    return DOME_OK;
}

static dome_status_t keep_artifact(exchange_t *exchange, transfer_t *transfer) {
    const job_t *job = exchange->job;
    const text_t *name = &exchange->task->save_as;
    if (transfer->stop == STOP_FULL) {
        return job_fail(job, DOME_INVALID, "%s: the body is larger than \"max_bytes\", %zu", exchange->place.host,
                        exchange->limit);
    }
    if (transfer->artifact == NULL) { /* of an empty body */
        transfer->artifact = job->artifact->create(job->call, name->data, name->size - 1);
    }
    dome_artifact_t *artifact = transfer->artifact;
    transfer->artifact = NULL;
    if (artifact == NULL) {
        return DOME_INVALID; /* the host has said why */
    }
    if (!job->artifact->finish(artifact)) {
        return job_fail(job, DOME_UNAVAILABLE, "\"save_as\": the artifact could not be kept");
    }
    text_literal(exchange->result, ",\"artifact\":");
    text_quote(exchange->result, name->data, name->size - 1);
    return DOME_OK;
}

static dome_status_t write_result(exchange_t *exchange, transfer_t *transfer) {
    text_t *text = exchange->result;
    char *url = place_text(&exchange->place);
    text_literal(text, "{\"status\":");
    text_integer(text, transfer->status);
    text_literal(text, ",\"url\":");
    text_quote(text, url != NULL ? url : "", url != NULL ? strlen(url) : 0);
    curl_free(url);
    text_literal(text, ",\"redirects\":");
    text_integer(text, exchange->redirects);
    text_literal(text, ",\"headers\":");
    answer_write_headers(text, transfer->easy);
    text_literal(text, ",\"bytes\":");
    text_unsigned(text, transfer->received);
    if (exchange->task->save_as.size == 0) {
        answer_write_body(text, &transfer->body, transfer->stop == STOP_FULL);
    } else {
        dome_status_t status = keep_artifact(exchange, transfer);
        if (status != DOME_OK) {
            return status;
        }
    }
    text_literal(text, "}");
    return text->failed ? job_fail(exchange->job, DOME_UNAVAILABLE, "out of memory") : DOME_OK;
}

/* One step: a request to where we are. `*is_over`: its answer is the result. */
static dome_status_t step(exchange_t *exchange, bool *is_over) {
    const job_t *job = exchange->job;
    dome_status_t status = make_headers(exchange);
    if (status != DOME_OK) {
        return status;
    }
    if (job->progress != NULL) {
        char text[HOST_LIMIT + 32];
        int size = snprintf(text, sizeof text, "%s %s", exchange->method, exchange->place.host);
        job->progress->report(job->call, 0, text, (size_t)size);
    }
    transfer_t transfer = {
        .job = job,
        .rules = exchange->rules,
        .task = exchange->task,
        .place = &exchange->place,
        .multi = exchange->multi,
        .headers = exchange->headers,
        .method = exchange->method,
        .sends_body = exchange->sends_body,
        .follows = exchange->task->max_redirects > 0,
        .limit = exchange->limit,
        .deadline = exchange->deadline,
        .reported = transfer_now(), /* one right behind it would be held back until there is another */
    };
    if ((status = transfer_run(&transfer)) == DOME_OK) {
        *is_over = !transfer.follows || !transfer_is_redirect(&transfer);
        status = *is_over ? write_result(exchange, &transfer) : follow(exchange, &transfer);
    }
    transfer_free(&transfer);
    return status;
}

/* Until when: the task's limit, the user's, or the job's, whichever comes first. */
static int64_t deadline(const job_t *job, const rules_t *rules, const task_t *task) {
    long seconds = task->timeout_seconds;
    if (rules->max_seconds > 0 && rules->max_seconds < seconds) {
        seconds = rules->max_seconds;
    }
    int64_t span = (int64_t)seconds * 1000000000;
    if (job->clock != NULL) {
        int64_t left = job->clock->remaining_nanoseconds(job->call);
        /* A little before it, so that there is time to say so. */
        span = left - 500000000 < span ? left - 500000000 : span;
    }
    return transfer_now() + span;
}

static dome_status_t begin(exchange_t *exchange) {
    const char *url = exchange->task->url.data;
    char why[512];
    const char *wrong = place_parse(&exchange->place, url);
    if (wrong == NULL) {
        wrong = place_parse(&exchange->first, url);
    }
    if (wrong != NULL) {
        return job_fail(exchange->job, DOME_INVALID, "\"url\": %s", wrong);
    }
    if (!exchange_is_allowed(exchange->rules, &exchange->place, why, sizeof why)) {
        return job_fail(exchange->job, DOME_DENIED, "%s", why);
    }
    if (exchange->task->save_as.size > 0 && exchange->job->artifact == NULL) {
        return job_fail(exchange->job, DOME_UNSUPPORTED, "\"save_as\": this host keeps no artifacts");
    }
    exchange->multi = curl_multi_init();
    return exchange->multi != NULL ? DOME_OK : job_fail(exchange->job, DOME_UNAVAILABLE, "out of memory");
}

dome_status_t exchange_run(const job_t *job, const rules_t *rules, const task_t *task, text_t *result) {
    exchange_t exchange = { .job = job, .rules = rules, .task = task, .result = result };
    bool is_over = false;
    size_t most = (size_t)rules->max_bytes;
    exchange.limit = most > 0 && most < task->max_bytes ? most : task->max_bytes;
    /* These have a body, if an empty one; a server may wait for its length. */
    exchange.sends_body = task->has_body || strcmp(task->method, "POST") == 0 || strcmp(task->method, "PUT") == 0 ||
                          strcmp(task->method, "PATCH") == 0;
    memcpy(exchange.method, task->method, sizeof exchange.method);
    exchange.deadline = deadline(job, rules, task);
    dome_status_t status = begin(&exchange);
    while (status == DOME_OK && !is_over) {
        status = step(&exchange, &is_over);
    }
    curl_multi_cleanup(exchange.multi);
    curl_slist_free_all(exchange.headers);
    place_free(&exchange.place);
    place_free(&exchange.first);
    return status;
}
