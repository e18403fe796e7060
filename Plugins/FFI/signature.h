/*
 * signature.h: "double(double, int)" and its like.
 */
#ifndef FFI_SIGNATURE_H
#define FFI_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ffi.h>

#define FFI_ARGUMENT_LIMIT 16

typedef enum type_class {
    TYPE_VOID,
    TYPE_BOOL,
    TYPE_SIGNED,
    TYPE_UNSIGNED,
    TYPE_REAL,
    TYPE_STRING, /* const char *, terminated; as a result copied, NULL is null */
    TYPE_BYTES,  /* const void *; an argument only */
    TYPE_LENGTH, /* size_t: the bytes of the text before it; an argument only, that no caller gives */
} type_class_t;

typedef struct type {
    const char *name;
    type_class_t class;
    size_t size;
    ffi_type *ffi;
} type_t;

typedef struct signature {
    const type_t *result;
    const type_t *arguments[FFI_ARGUMENT_LIMIT];
    unsigned count;
    unsigned given; /* of these by the caller */
} signature_t;

/* False: `why` says what is wrong with `text`. */
bool signature_parse(const char *text, signature_t *signature, char *why, size_t why_size);

#endif
