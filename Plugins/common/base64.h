/*
 * base64.h: bytes in JSON texts (RFC 4648, section 4).
 */
#ifndef DOME_PLUGINS_BASE64_H
#define DOME_PLUGINS_BASE64_H

#include "text.h"

/* Appends `size` bytes as base64, padded. */
void base64_encode(text_t *text, const void *bytes, size_t size);

/* Appends the bytes that `size` characters stand for. False if they are no padded base64; then some of them may have
 * been appended. */
bool base64_decode(text_t *text, const char *data, size_t size);

#endif
