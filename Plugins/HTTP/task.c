#define _DEFAULT_SOURCE
#include "task.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "decode.h"

enum { URL, METHOD, HEADERS, SECRET_HEADERS, BODY, BODY_BASE64, SAVE_AS, MAX_BYTES, TIMEOUT, MAX_REDIRECTS, COUNT };

static const json_name_t names[COUNT] = {
    { "url", 3 },          { "method", 6 },    { "headers", 7 },          { "secret_headers", 14 }, { "body", 4 },
    { "body_base64", 11 }, { "save_as", 7 },   { "max_bytes", 9 },        { "timeout_seconds", 15 },
    { "max_redirects", 13 },
};

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

/* These decide where a message goes and where it ends: they are the library's, or a caller could name one host to
 * the allow-list and another to the server, or put one request inside another. */
static const char *const reserved[] = {
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
    "accept-encoding", "proxy-connection", "proxy-authorization", "http2-settings",
};

static bool fail(char *why, size_t size, const char *what) {
    snprintf(why, size, "%s", what);
    return false;
}

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *text) {
    static const char *const letters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return text[0] != 0 && strlen(text) <= 256 && text[strspn(text, letters)] == 0;
}

static bool is_reserved(const char *name) {
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (strcasecmp(name, reserved[i]) == 0) {
            return true;
        }
    }
    return name[0] == ':';
}

bool header_value_is_good(const char *value) {
    for (const char *at = value; *at != 0; at++) {
        unsigned char c = (unsigned char)*at;
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return strlen(value) <= HEADER_BYTES_LIMIT;
}

bool task_has_header(const task_t *task, const char *name) {
    for (size_t i = 0; i < task->header_count; i++) {
        if (strcasecmp(task->headers[i].name.data, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes one header's name; its value is still to be read. */
static header_t *add_header(task_t *task, json_t name, char *why, size_t why_size) {
    text_t text = { .data = NULL };
    if (task->header_count == HEADER_LIMIT) {
        fail(why, why_size, "there are more than 100 headers");
    } else if (!text_take(&text, name) || !is_token(text.data)) {
        fail(why, why_size, "\"headers\" has a name that is none: letters, digits and a few signs such as '-'");
    } else if (is_reserved(text.data)) {
        snprintf(why, why_size, "\"headers\": %s cannot be set: it is made from the URL and the body", text.data);
    } else if (task_has_header(task, text.data)) {
        snprintf(why, why_size, "\"headers\": %s stands there twice", text.data);
    } else {
        header_t *header = &task->headers[task->header_count++];
        memset(header, 0, sizeof *header);
        header->name = text;
        return header;
    }
    text_free(&text);
    return NULL;
}

static bool read_headers(task_t *task, json_t headers, char *why, size_t why_size) {
    json_walk_t walk = json_walk(headers);
    json_t name, value;
    if (json_kind(headers) != JSON_ABSENT && json_kind(headers) != JSON_OBJECT) {
        return fail(why, why_size, "\"headers\" is to be an object of texts");
    }
    while (json_next(&walk, &name, &value)) {
        header_t *header = add_header(task, name, why, why_size);
        if (header == NULL) {
            return false;
        }
        if (!text_take(&header->value, value) || !header_value_is_good(header->value.data)) {
            return fail(why, why_size, "\"headers\" has a value that is no text of one line, at most 8192 bytes");
        }
    }
    return true;
}

static bool read_secret_headers(task_t *task, json_t headers, char *why, size_t why_size) {
    enum { SECRET, PREFIX, MEMBERS };
    static const json_name_t members[MEMBERS] = { { "secret", 6 }, { "prefix", 6 } };
    json_walk_t walk = json_walk(headers);
    json_t name, value, given[MEMBERS];
    if (json_kind(headers) != JSON_ABSENT && json_kind(headers) != JSON_OBJECT) {
        return fail(why, why_size, "\"secret_headers\" is to be an object");
    }
    while (json_next(&walk, &name, &value)) {
        header_t *header = add_header(task, name, why, why_size);
        if (header == NULL) {
            return false;
        }
        if (json_kind(value) != JSON_OBJECT || !json_members(value, members, given, MEMBERS) ||
            !text_take(&header->secret, given[SECRET]) || header->secret.size > 65 ||
            (json_kind(given[PREFIX]) != JSON_ABSENT && !text_take(&header->value, given[PREFIX])) ||
            (header->value.size > 0 && !header_value_is_good(header->value.data))) {
            return fail(why, why_size,
                        "\"secret_headers\": a header's value is to be {\"secret\": NAME, \"prefix\": \"Bearer \"}");
        }
    }
    return true;
}

static bool read_method(task_t *task, json_t value, bool is_get, char *why, size_t why_size) {
    strcpy(task->method, "GET");
    if (json_kind(value) == JSON_ABSENT) {
        return true;
    }
    for (size_t i = 0; i < sizeof methods / sizeof *methods && !is_get; i++) {
        if (json_kind(value) == JSON_STRING && json_is(value, methods[i], strlen(methods[i]))) {
            strcpy(task->method, methods[i]);
            return true;
        }
    }
    return fail(why, why_size, "\"method\" is to be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, of request alone");
}

static bool read_body(task_t *task, json_t plain, json_t encoded, char *why, size_t why_size) {
    bool is_plain = json_kind(plain) != JSON_ABSENT, is_encoded = json_kind(encoded) != JSON_ABSENT;
    task->has_body = is_plain || is_encoded;
    if (!task->has_body) {
        return true;
    }
    if ((is_plain && is_encoded) || json_kind(is_plain ? plain : encoded) != JSON_STRING) {
        return fail(why, why_size, "\"body\" is to be a text, or \"body_base64\" one, not both");
    }
    if (strcmp(task->method, "GET") == 0 || strcmp(task->method, "HEAD") == 0) {
        return fail(why, why_size, "\"body\": a GET or HEAD has none");
    }
    if (is_plain) {
        text_decode(&task->body, plain);
        return true;
    }
    text_t text = { .data = NULL };
    text_decode(&text, encoded);
    bool is_good = base64_decode(&task->body, text.data, text.size);
    text_free(&text);
    return is_good || fail(why, why_size, "\"body_base64\" is no base64");
}

static bool read_number(json_t value, int64_t least, int64_t most, int64_t *number) {
    if (json_kind(value) == JSON_ABSENT) {
        return true;
    }
    return json_integer(value, number) && *number >= least && *number <= most;
}

bool task_read(task_t *task, json_t root, bool is_get, char *why, size_t why_size) {
    json_t values[COUNT];
    if (json_kind(root) != JSON_OBJECT || !json_members(root, names, values, COUNT)) {
        return fail(why, why_size, "the task is no object, or has a member twice");
    }
    if (!text_take(&task->url, values[URL])) {
        return fail(why, why_size, "\"url\" is to be a text");
    }
    if (!read_method(task, values[METHOD], is_get, why, why_size) ||
        !read_headers(task, values[HEADERS], why, why_size) ||
        !read_secret_headers(task, values[SECRET_HEADERS], why, why_size) ||
        !read_body(task, is_get ? (json_t){ NULL, NULL } : values[BODY],
                   is_get ? (json_t){ NULL, NULL } : values[BODY_BASE64], why, why_size)) {
        return false;
    }
    if (json_kind(values[SAVE_AS]) != JSON_ABSENT && !text_take(&task->save_as, values[SAVE_AS])) {
        return fail(why, why_size, "\"save_as\" is to be the name of an artifact");
    }
    bool is_file = task->save_as.size > 0;
    int64_t bytes = is_file ? 64 << 20 : 1 << 20, seconds = 30, redirects = 5;
    if (!read_number(values[MAX_BYTES], 1, is_file ? FILE_LIMIT : INLINE_LIMIT, &bytes)) {
        return fail(why, why_size, "\"max_bytes\" is to be from 1 to 8388608, with \"save_as\" to 1073741824");
    }
    if (!read_number(values[TIMEOUT], 1, 3600, &seconds) || !read_number(values[MAX_REDIRECTS], 0, 20, &redirects)) {
        return fail(why, why_size, "\"timeout_seconds\" is to be from 1 to 3600, \"max_redirects\" from 0 to 20");
    }
    task->max_bytes = (size_t)bytes;
    task->timeout_seconds = (long)seconds;
    task->max_redirects = (long)redirects;
    return !task->body.failed || fail(why, why_size, "out of memory");
}

void task_free(task_t *task) {
    text_free(&task->url);
    text_free(&task->body);
    text_free(&task->save_as);
    for (size_t i = 0; i < task->header_count; i++) {
        text_free(&task->headers[i].name);
        text_free(&task->headers[i].value);
        text_free(&task->headers[i].secret);
    }
    memset(task, 0, sizeof *task);
}
