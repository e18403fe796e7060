/*
 * json.h: reads JSON where it lies. A value is the stretch of text that spells it; nothing is copied, decoded or
 * allocated, because a launch plan is mostly made of strings of the job, and these pass through as they are spelled.
 *
 * json_parse checks the whole document (RFC 8259, UTF-8, paired surrogates, bounded nesting); the other functions
 * rely on that having succeeded and look at nothing outside the value they are given.
 */
#ifndef DOME_PLUGINS_JSON_H
#define DOME_PLUGINS_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* One value's text, without space around it. `at == NULL`: absent. OWNERSHIP: points into the document. */
typedef struct json {
    const char *at;
    const char *end;
} json_t;

typedef enum json_kind {
    JSON_ABSENT,
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
} json_kind_t;

/* A walk over an object's members or an array's elements. */
typedef struct json_walk {
    const char *at;
    const char *end;
    bool has_names;
} json_walk_t;

/* A member name to look for. */
typedef struct json_name {
    const char *text;
    size_t size;
} json_name_t;

/* Takes `data` if all of it is one valid document. False otherwise, and `*root` is absent. */
bool json_parse(const char *data, size_t size, json_t *root);

json_kind_t json_kind(json_t value);

/* Begins a walk over an object or array; over anything else it is empty. */
json_walk_t json_walk(json_t container);

/* The next member (`*name` is its name, a string) or element (`*name` is absent). False at the end. */
bool json_next(json_walk_t *walk, json_t *name, json_t *value);

/* Looks up `count` members in one pass; those not there are absent. False if one of them stands there twice: two
 * readers could then disagree about which counts. */
bool json_members(json_t object, const json_name_t *names, json_t *values, size_t count);

/* Whether a string, escapes resolved, is these ASCII characters. */
bool json_is(json_t string, const char *ascii, size_t size);

/* Whether a string holds the character NUL, which no argument or variable can carry. */
bool json_has_nul(json_t string);

#endif
