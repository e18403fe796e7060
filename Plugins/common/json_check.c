/*
 * json_check.c: json_parse. Every check_… function returns the place after what it accepted, or NULL.
 */
#include "json.h"

#include <string.h>

#include "json_text.h"

/* Bounds the recursion of check_value; above what dome's own parser accepts. */
#define DEPTH_LIMIT 200

/* After a backslash. */
static const char *check_escape(const char *at, const char *end) {
    if (at >= end) {
        return NULL;
    }
    if (*at != 'u') {
        return *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL ? at + 1 : NULL;
    }
    uint32_t code;
    at = check_hex4(at + 1, end, &code);
    if (at == NULL || code < 0xd800 || code > 0xdfff) {
        return at;
    }
    if (code > 0xdbff || end - at < 2 || at[0] != '\\' || at[1] != 'u') {
        return NULL;
    }
    at = check_hex4(at + 2, end, &code);
    return at != NULL && code >= 0xdc00 && code <= 0xdfff ? at : NULL;
}

/* One UTF-8 sequence of two to four bytes (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
static const char *check_utf8(const char *at, const char *end) {
    unsigned char first = (unsigned char)*at;
    int more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2
             : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
    if (more == 0 || end - at <= more) {
        return NULL;
    }
    unsigned char second = (unsigned char)at[1];
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f)) {
        return NULL;
    }
    for (int i = 1; i <= more; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80) {
            return NULL;
        }
    }
    return at + more + 1;
}

static const char *check_string(const char *at, const char *end) {
    if (at >= end || *at != '"') {
        return NULL;
    }
    at++;
    while (at != NULL && at < end) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"') {
            return at + 1;
        }
        if (byte < 0x20) {
            return NULL;
        }
        if (byte == '\\') {
            at = check_escape(at + 1, end);
        } else if (byte < 0x80) {
            at++;
        } else {
            at = check_utf8(at, end);
        }
    }
    return NULL;
}

static const char *check_digits(const char *at, const char *end) {
    const char *start = at;
    while (at < end && is_digit(*at)) {
        at++;
    }
    return at > start ? at : NULL;
}

static const char *check_number(const char *at, const char *end) {
    if (at < end && *at == '-') {
        at++;
    }
    if (at < end && *at == '0') {
        at++;
    } else if ((at = check_digits(at, end)) == NULL) {
        return NULL;
    }
    if (at < end && *at == '.' && (at = check_digits(at + 1, end)) == NULL) {
        return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) {
            at++;
        }
        at = check_digits(at, end);
    }
    return at;
}

static const char *check_word(const char *at, const char *end, const char *word, size_t size) {
    return (size_t)(end - at) >= size && memcmp(at, word, size) == 0 ? at + size : NULL;
}

static const char *check_value(const char *at, const char *end, int depth);

static const char *check_container(const char *at, const char *end, int depth) {
    char close = *at == '{' ? '}' : ']';
    if (depth >= DEPTH_LIMIT) {
        return NULL;
    }
    at = skip_space(at + 1, end);
    if (at < end && *at == close) {
        return at + 1;
    }
    for (;;) {
        if (close == '}') {
            at = check_string(at, end);
            if (at == NULL || (at = skip_space(at, end)) >= end || *at != ':') {
                return NULL;
            }
            at = skip_space(at + 1, end);
        }
        at = check_value(at, end, depth + 1);
        if (at == NULL || (at = skip_space(at, end)) >= end) {
            return NULL;
        }
        if (*at == close) {
            return at + 1;
        }
        if (*at != ',') {
            return NULL;
        }
        at = skip_space(at + 1, end);
    }
}

static const char *check_value(const char *at, const char *end, int depth) {
    if (at >= end) {
        return NULL;
    }
    switch (*at) {
    case '{':
    case '[': return check_container(at, end, depth);
    case '"': return check_string(at, end);
    case 't': return check_word(at, end, "true", 4);
    case 'f': return check_word(at, end, "false", 5);
    case 'n': return check_word(at, end, "null", 4);
    default: return check_number(at, end);
    }
}

bool json_parse(const char *data, size_t size, json_t *root) {
    *root = (json_t){ NULL, NULL };
    if (data == NULL) {
        return false;
    }
    const char *end = data + size;
    const char *start = skip_space(data, end);
    const char *stop = check_value(start, end, 0);
    if (stop == NULL || skip_space(stop, end) != end) {
        return false;
    }
    *root = (json_t){ start, stop };
    return true;
}
