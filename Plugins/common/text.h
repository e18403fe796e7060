/*
 * text.h: a buffer that grows while text is written into it. Running out of memory is remembered, not reported at
 * each step: look at `failed` once, at the end.
 */
#ifndef DOME_PLUGINS_TEXT_H
#define DOME_PLUGINS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

/* OWNERSHIP: `data` is the buffer's; end it with text_free. Start from zeroes. */
typedef struct text {
    char *data;
    size_t size;
    size_t capacity;
    bool failed;
} text_t;

void text_add(text_t *text, const char *data, size_t size);

/* Appends a string literal. */
#define text_literal(text, literal) text_add((text), "" literal, sizeof(literal) - 1)

/* Appends a value as the document spells it. */
void text_json(text_t *text, json_t value);

/* Appends a comma, but for the first element: `*first` becomes false. */
void text_comma(text_t *text, bool *first);

void text_free(text_t *text);

#endif
