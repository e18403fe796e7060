#include "decode.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"

static void add_scalar(text_t *text, uint32_t code) {
    char bytes[4];
    size_t size = 0;
    if (code < 0x80) {
        bytes[size++] = (char)code;
    } else if (code < 0x800) {
        bytes[size++] = (char)(0xc0 | code >> 6);
        bytes[size++] = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        bytes[size++] = (char)(0xe0 | code >> 12);
        bytes[size++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[size++] = (char)(0x80 | (code & 0x3f));
    } else {
        bytes[size++] = (char)(0xf0 | code >> 18);
        bytes[size++] = (char)(0x80 | (code >> 12 & 0x3f));
        bytes[size++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[size++] = (char)(0x80 | (code & 0x3f));
    }
    text_add(text, bytes, size);
}

/* The escape after a backslash at `at`; the place behind it. json_parse has checked it. */
static const char *decode_escape(text_t *text, const char *at, const char *end) {
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    if (*at != 'u') {
        const char *name = strchr(names, *at);
        text_add(text, name != NULL ? &values[name - names] : at, 1);
        return at + 1;
    }
    uint32_t code = 0, low = 0;
    const char *next = check_hex4(at + 1, end, &code);
    if (next == NULL) {
        return end;
    }
    if (code >= 0xd800 && code < 0xdc00 && end - next > 2) {
        const char *after = check_hex4(next + 2, end, &low);
        if (after != NULL) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            next = after;
        }
    }
    add_scalar(text, code);
    return next;
}

void text_decode(text_t *text, json_t string) {
    if (json_kind(string) != JSON_STRING) {
        return;
    }
    const char *at = string.at + 1, *end = string.end - 1;
    while (at < end) {
        const char *plain = memchr(at, '\\', (size_t)(end - at));
        text_add(text, at, (size_t)((plain != NULL ? plain : end) - at));
        at = plain != NULL ? decode_escape(text, plain + 1, end) : end;
    }
}

bool text_take(text_t *text, json_t value) {
    if (json_kind(value) != JSON_STRING || json_has_nul(value)) {
        return false;
    }
    text_decode(text, value);
    text_add(text, "", 1);
    return !text->failed;
}

/* The bytes of the well-formed UTF-8 sequence at `at`, or 0 (Unicode 15.0, table 3-7). */
static size_t sequence(const unsigned char *at, size_t rest) {
    unsigned char first = at[0];
    if (first < 0x80) {
        return 1;
    }
    size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || rest < size) {
        return 0;
    }
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

size_t utf8_prefix(const char *data, size_t size) {
    size_t at = 0;
    while (at < size) {
        size_t count = sequence((const unsigned char *)data + at, size - at);
        if (count == 0) {
            break;
        }
        at += count;
    }
    return at;
}

void utf8_mend(char *data, size_t size) {
    for (size_t at = utf8_prefix(data, size); at < size; at += utf8_prefix(data + at, size - at)) {
        data[at] = '?';
    }
}

void text_quote(text_t *text, const char *data, size_t size) {
    text_literal(text, "\"");
    for (size_t i = 0; i < size;) {
        size_t count = sequence((const unsigned char *)data + i, size - i);
        unsigned char byte = (unsigned char)data[i];
        if (count == 0) {
            text_literal(text, "\xef\xbf\xbd");
            count = 1;
        } else if (byte == '"' || byte == '\\') {
            text_literal(text, "\\");
            text_add(text, data + i, 1);
        } else if (byte < 0x20) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", byte);
            text_add(text, escape, 6);
        } else {
            text_add(text, data + i, count);
        }
        i += count;
    }
    text_literal(text, "\"");
}

bool text_double(text_t *text, double value) {
    if (!isfinite(value)) {
        return false;
    }
    char digits[40];
    int size = snprintf(digits, sizeof digits, "%.17g", value);
    text_add(text, digits, (size_t)size);
    return true;
}

void text_integer(text_t *text, int64_t value) {
    char digits[24];
    text_add(text, digits, (size_t)snprintf(digits, sizeof digits, "%" PRId64, value));
}

void text_unsigned(text_t *text, uint64_t value) {
    char digits[24];
    text_add(text, digits, (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value));
}

/* The number's text, terminated; false if it is none or absurdly long. */
static bool copy_number(json_t number, char *copy, size_t capacity) {
    size_t size = (size_t)(number.end - number.at);
    if (json_kind(number) != JSON_NUMBER || size >= capacity) {
        return false;
    }
    memcpy(copy, number.at, size);
    copy[size] = 0;
    return true;
}

bool json_integer(json_t number, int64_t *value) {
    char copy[64], *end = copy;
    if (!copy_number(number, copy, sizeof copy)) {
        return false;
    }
    errno = 0;
    *value = strtoll(copy, &end, 10);
    return errno == 0 && *end == 0;
}

bool json_unsigned(json_t number, uint64_t *value) {
    char copy[64], *end = copy;
    if (!copy_number(number, copy, sizeof copy) || copy[0] == '-') {
        return false;
    }
    errno = 0;
    *value = strtoull(copy, &end, 10);
    return errno == 0 && *end == 0;
}

bool json_double(json_t number, double *value) {
    char copy[501];
    if (!copy_number(number, copy, sizeof copy)) {
        return false;
    }
    *value = strtod(copy, NULL);
    return isfinite(*value);
}
