/*
 * text.h: UTF-8 with its size. Tables hold text as `dome_text_t`; functions take a pointer and a size, because not
 * every language can pass a struct by value through a callback.
 */
#ifndef DOME_TEXT_H
#define DOME_TEXT_H

#include "platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/* OWNERSHIP: whoever made the struct owns the bytes; the member that holds it says until when they live. */
typedef struct dome_text {
    const char *data; /* UTF-8, no NUL needed; NULL only with size 0 */
    size_t size;      /* bytes */
} dome_text_t;

/* A string literal as the two arguments `pointer, size`: host->get_extension(self, DOME_TEXT(DOME_EXT_LOG)). */
#define DOME_TEXT(literal) ("" literal), (sizeof(literal) - 1)

/* A string literal as the initializer of a dome_text_t: .id = DOME_TEXT_INIT("org.example.thing"). */
#define DOME_TEXT_INIT(literal) { ("" literal), (sizeof(literal) - 1) }

/* Whether two texts are the same bytes: dome_text_equal(id, id_size, DOME_TEXT(DOME_EXECUTOR)). [any-thread] */
static inline bool dome_text_equal(const char *a, size_t a_size, const char *b, size_t b_size) {
    if (a_size != b_size) {
        return false;
    }
    for (size_t i = 0; i < a_size; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

#ifdef __cplusplus
}
#endif

#endif
