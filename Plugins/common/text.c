#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY ((size_t)4096)

void text_add(text_t *text, const char *data, size_t size) {
    if (text->failed || size == 0) {
        return;
    }
    if (size > text->capacity - text->size) {
        size_t wanted = text->capacity != 0 ? text->capacity : FIRST_CAPACITY;
        while (wanted - text->size < size) {
            if (wanted > SIZE_MAX / 2) {
                text->failed = true;
                return;
            }
            wanted *= 2;
        }
        char *grown = realloc(text->data, wanted);
        if (grown == NULL) {
            text->failed = true;
            return;
        }
        text->data = grown;
        text->capacity = wanted;
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
}

void text_json(text_t *text, json_t value) {
    if (value.at != NULL) {
        text_add(text, value.at, (size_t)(value.end - value.at));
    }
}

void text_comma(text_t *text, bool *first) {
    if (!*first) {
        text_literal(text, ",");
    }
    *first = false;
}

void text_free(text_t *text) {
    free(text->data);
    *text = (text_t){ NULL, 0, 0, false };
}
