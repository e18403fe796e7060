/*
 * decode.h: what plugins need beyond reading JSON where it lies: strings as what they stand for, and back.
 */
#ifndef DOME_PLUGINS_DECODE_H
#define DOME_PLUGINS_DECODE_H

#include <stdint.h>

#include "json.h"
#include "text.h"

/* Appends what a string stands for, escapes resolved. */
void text_decode(text_t *text, json_t string);

/* The same with a NUL behind it, as a C string. False, and nothing is appended, for what is no string, holds a NUL of
 * its own, or has no room in memory. */
bool text_take(text_t *text, json_t value);

/* How many bytes of `data`, from its beginning, are whole characters of UTF-8. */
size_t utf8_prefix(const char *data, size_t size);

/* Puts a question mark for each byte of `data` that belongs to none. For words that were cut anywhere, or are somebody
 * else's: what is no UTF-8 a host takes none of. */
void utf8_mend(char *data, size_t size);

/* Appends `size` bytes as a JSON string, quotes included. What is not UTF-8 becomes U+FFFD. */
void text_quote(text_t *text, const char *data, size_t size);

/* Appends a number that JSON can hold; false (and nothing is appended) for NaN and the infinities. */
bool text_double(text_t *text, double value);

void text_integer(text_t *text, int64_t value);
void text_unsigned(text_t *text, uint64_t value);

/* The number as an integer; false if it has a fraction or does not fit. */
bool json_integer(json_t number, int64_t *value);
bool json_unsigned(json_t number, uint64_t *value);

/* The number, as near as a double comes; false if it is larger than any, or spelled in more than 500 characters. */
bool json_double(json_t number, double *value);

#endif
