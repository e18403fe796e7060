/*
 * json.c: walking over a document that json_parse has accepted.
 */
#include "json.h"

#include <string.h>

#include "json_text.h"

static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\') {
            at++;
        }
    }
    return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end) {
    size_t open = 0;
    for (; at < end; at++) {
        char c = *at;
        if (c == '"') {
            at = skip_string(at, end) - 1;
            if (open == 0) {
                return at + 1;
            }
        } else if (c == '{' || c == '[') {
            open++;
        } else if (c == '}' || c == ']') {
            if (open == 0 || --open == 0) {
                return at + 1;
            }
        } else if (open == 0 && (c == ',' || c == ':' || is_space(c))) {
            return at;
        }
    }
    return end;
}

json_kind_t json_kind(json_t value) {
    if (value.at == NULL || value.at >= value.end) {
        return JSON_ABSENT;
    }
    switch (*value.at) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': return JSON_TRUE;
    case 'f': return JSON_FALSE;
    case 'n': return JSON_NULL;
    default: return JSON_NUMBER;
    }
}

json_walk_t json_walk(json_t container) {
    json_kind_t kind = json_kind(container);
    if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
        return (json_walk_t){ NULL, NULL, false };
    }
    return (json_walk_t){ container.at + 1, container.end - 1, kind == JSON_OBJECT };
}

bool json_next(json_walk_t *walk, json_t *name, json_t *value) {
    const char *at = walk->at;
    while (at < walk->end && (is_space(*at) || *at == ',')) {
        at++;
    }
    if (at >= walk->end) {
        return false;
    }
    *name = (json_t){ NULL, NULL };
    if (walk->has_names) {
        *name = (json_t){ at, skip_string(at, walk->end) };
        at = name->end;
        while (at < walk->end && (is_space(*at) || *at == ':')) {
            at++;
        }
    }
    *value = (json_t){ at, skip_value(at, walk->end) };
    walk->at = value->end;
    return value->end > value->at;
}

bool json_members(json_t object, const json_name_t *names, json_t *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        values[i] = (json_t){ NULL, NULL };
    }
    json_walk_t walk = json_walk(object);
    json_t name, value;
    while (walk.has_names && json_next(&walk, &name, &value)) {
        for (size_t i = 0; i < count; i++) {
            if (json_is(name, names[i].text, names[i].size)) {
                if (values[i].at != NULL) {
                    return false;
                }
                values[i] = value;
            }
        }
    }
    return true;
}

/* The character at `*at`, escapes resolved; anything beyond ASCII as 0x80 or more. Moves `*at` past it. */
static uint32_t next_character(const char **at, const char *end) {
    const char *p = *at;
    uint32_t code = (unsigned char)*p++;
    if (code == '\\' && p < end) {
        static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
        char c = *p++;
        const char *found = c != '\0' ? strchr(from, c) : NULL;
        if (c == 'u') {
            const char *after = check_hex4(p, end, &code);
            p = after != NULL ? after : end;
        } else {
            code = found != NULL ? (unsigned char)to[found - from] : (unsigned char)c;
        }
    }
    *at = p;
    return code;
}

bool json_is(json_t string, const char *ascii, size_t size) {
    if (json_kind(string) != JSON_STRING) {
        return false;
    }
    const char *at = string.at + 1, *end = string.end - 1;
    size_t i = 0;
    for (; at < end && i < size; i++) {
        if (next_character(&at, end) != (unsigned char)ascii[i]) {
            return false;
        }
    }
    return at >= end && i == size;
}

bool json_has_nul(json_t string) {
    const char *at = string.at, *end = string.end;
    while (at != NULL && at < end && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (next_character(&at, end) == 0) {
            return true;
        }
    }
    return false;
}
