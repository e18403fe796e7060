/*
 * json.h: enough JSON for an action's payload: the members of one object, read where they stand. Nothing is allocated.
 * dome has checked the payload against the action's input_schema before, so what does not fit is only refused here.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A value as it stands in the text. */
typedef struct json {
    const char *at;
    const char *end;
} json_t;

static inline const char *json_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) {
        at++;
    }
    return at;
}

/* Past the string that begins at `at`; NULL if it does not end. */
static inline const char *json_past_string(const char *at, const char *end) {
    if (at >= end || *at != '"') {
        return NULL;
    }
    for (at++; at < end; at++) {
        if (*at == '\\') {
            at++;
        } else if (*at == '"') {
            return at + 1;
        }
    }
    return NULL;
}

/* Past the value that begins at `at`. Counts brackets instead of calling itself: no text is too deep. */
static inline const char *json_past_value(const char *at, const char *end) {
    size_t depth = 0;
    while (at != NULL && at < end) {
        char byte = *at;
        if (byte == '"') {
            at = json_past_string(at, end);
        } else if (byte == '{' || byte == '[') {
            depth++;
            at++;
        } else if (byte == '}' || byte == ']') {
            if (depth == 0) {
                return at;
            }
            depth--;
            at++;
        } else if (depth == 0 && byte == ',') {
            return at;
        } else {
            at++;
            continue;
        }
        if (depth == 0) {
            return at;
        }
    }
    return depth == 0 ? at : NULL;
}

/* Whether `text` is an object; then `*value` is its member `name`, with `at` NULL if it has none. */
static inline bool json_member(const char *text, size_t size, const char *name, json_t *value) {
    const char *end = text + size, *at = json_space(text, end);
    size_t name_size = strlen(name);
    value->at = value->end = NULL;
    if (at >= end || *at != '{') {
        return false;
    }
    at = json_space(at + 1, end);
    while (at < end && *at == '"') {
        const char *key = at + 1, *past = json_past_string(at, end);
        if (past == NULL) {
            return false;
        }
        at = json_space(past, end);
        if (at >= end || *at != ':') {
            return false;
        }
        const char *start = json_space(at + 1, end), *stop = json_past_value(start, end);
        if (stop == NULL) {
            return false;
        }
        if ((size_t)(past - 1 - key) == name_size && memcmp(key, name, name_size) == 0) {
            value->at = start;
            value->end = stop;
        }
        at = json_space(stop, end);
        if (at < end && *at == ',') {
            at = json_space(at + 1, end);
        }
    }
    return at < end && *at == '}';
}

/* A whole number that is not negative and has at most nine digits. */
static inline bool json_whole(json_t value, uint32_t *number) {
    uint32_t result = 0;
    if (value.at == NULL || value.at == value.end || value.end - value.at > 9) {
        return false;
    }
    for (const char *at = value.at; at < value.end; at++) {
        if (*at < '0' || *at > '9') {
            return false;
        }
        result = result * 10 + (uint32_t)(*at - '0');
    }
    *number = result;
    return true;
}

/* The inside of a string as it is spelled, escapes and all: it can go into another string as it is. */
static inline bool json_spelling(json_t value, const char **data, size_t *size) {
    if (value.at == NULL || json_past_string(value.at, value.end) != value.end) {
        return false;
    }
    *data = value.at + 1;
    *size = (size_t)(value.end - value.at) - 2;
    return true;
}

#endif
