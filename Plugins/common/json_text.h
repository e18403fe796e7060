/*
 * json_text.h: the few lexical rules that checking and walking share.
 */
#ifndef DOME_PLUGINS_JSON_TEXT_H
#define DOME_PLUGINS_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static inline const char *skip_space(const char *at, const char *end) {
    while (at < end && is_space(*at)) {
        at++;
    }
    return at;
}

/* Four hexadecimal digits; returns the place after them, or NULL. */
static inline const char *check_hex4(const char *at, const char *end, uint32_t *code) {
    if (end - at < 4) {
        return NULL;
    }
    *code = 0;
    for (int i = 0; i < 4; i++, at++) {
        uint32_t digit;
        if (is_digit(*at)) {
            digit = (uint32_t)(*at - '0');
        } else if ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'f') {
            digit = (uint32_t)((*at | 0x20) - 'a') + 10;
        } else {
            return NULL;
        }
        *code = *code << 4 | digit;
    }
    return at;
}

#endif
