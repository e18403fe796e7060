#include "signature.h"

#include <stdio.h>
#include <string.h>

static const type_t types[] = {
    { "void", TYPE_VOID, 0, &ffi_type_void },
    { "bool", TYPE_BOOL, sizeof(bool), &ffi_type_uint8 },
    { "char", TYPE_SIGNED, 1, &ffi_type_schar },
    { "short", TYPE_SIGNED, sizeof(short), &ffi_type_sshort },
    { "int", TYPE_SIGNED, sizeof(int), &ffi_type_sint },
    { "long", TYPE_SIGNED, sizeof(long), &ffi_type_slong },
    { "uchar", TYPE_UNSIGNED, 1, &ffi_type_uchar },
    { "ushort", TYPE_UNSIGNED, sizeof(short), &ffi_type_ushort },
    { "uint", TYPE_UNSIGNED, sizeof(int), &ffi_type_uint },
    { "ulong", TYPE_UNSIGNED, sizeof(long), &ffi_type_ulong },
    { "size_t", TYPE_UNSIGNED, sizeof(size_t), &ffi_type_ulong },
    { "int8", TYPE_SIGNED, 1, &ffi_type_sint8 },
    { "int16", TYPE_SIGNED, 2, &ffi_type_sint16 },
    { "int32", TYPE_SIGNED, 4, &ffi_type_sint32 },
    { "int64", TYPE_SIGNED, 8, &ffi_type_sint64 },
    { "uint8", TYPE_UNSIGNED, 1, &ffi_type_uint8 },
    { "uint16", TYPE_UNSIGNED, 2, &ffi_type_uint16 },
    { "uint32", TYPE_UNSIGNED, 4, &ffi_type_uint32 },
    { "uint64", TYPE_UNSIGNED, 8, &ffi_type_uint64 },
    { "float", TYPE_REAL, sizeof(float), &ffi_type_float },
    { "double", TYPE_REAL, sizeof(double), &ffi_type_double },
    { "string", TYPE_STRING, sizeof(char *), &ffi_type_pointer },
    { "bytes", TYPE_BYTES, sizeof(void *), &ffi_type_pointer },
    { "length", TYPE_LENGTH, sizeof(size_t), &ffi_type_ulong },
};

static const char *skip(const char *at) {
    return at + strspn(at, " \t");
}

/* The type at `*at`, which then lies behind it; NULL for none. */
static const type_t *take_type(const char **at) {
    const char *start = skip(*at);
    size_t size = strspn(start, "abcdefghijklmnopqrstuvwxyz0123456789_");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i].name) == size && strncmp(types[i].name, start, size) == 0) {
            *at = skip(start + size);
            return &types[i];
        }
    }
    return NULL;
}

static bool unknown_type(const char *at, char *why, size_t why_size) {
    snprintf(why, why_size,
             "the signature has no type that is known at \"%.32s\"; known are void, bool, char, short, int, long, "
             "uchar, ushort, uint, ulong, size_t, int8 to int64, uint8 to uint64, float, double, string, bytes, length",
             skip(at));
    return false;
}

bool signature_parse(const char *text, signature_t *signature, char *why, size_t why_size) {
    const char *at = text;
    memset(signature, 0, sizeof *signature);
    signature->result = take_type(&at);
    if (signature->result == NULL) {
        return unknown_type(at, why, why_size);
    }
    if (signature->result->class == TYPE_BYTES || signature->result->class == TYPE_LENGTH) {
        snprintf(why, why_size, "a function cannot result in %s: nobody knows how many; use string or an integer",
                 signature->result->name);
        return false;
    }
    if (*at != '(') {
        snprintf(why, why_size, "the signature needs its arguments in parentheses, such as double(double, int)");
        return false;
    }
    at = skip(at + 1);
    if (strncmp(at, "void", 4) == 0 && *skip(at + 4) == ')') {
        at = skip(at + 4);
    }
    while (*at != ')') {
        if (signature->count == FFI_ARGUMENT_LIMIT) {
            snprintf(why, why_size, "the signature has more than %d arguments", FFI_ARGUMENT_LIMIT);
            return false;
        }
        const type_t *type = take_type(&at);
        if (type == NULL || type->class == TYPE_VOID) {
            return unknown_type(at, why, why_size);
        }
        const type_t *before = signature->count > 0 ? signature->arguments[signature->count - 1] : NULL;
        if (type->class == TYPE_LENGTH &&
            (before == NULL || (before->class != TYPE_BYTES && before->class != TYPE_STRING))) {
            snprintf(why, why_size, "the signature: length must follow the bytes or string whose length it is");
            return false;
        }
        signature->arguments[signature->count++] = type;
        signature->given += type->class != TYPE_LENGTH;
        if (*at == ',') {
            at = skip(at + 1);
            if (*at != ')') {
                continue;
            }
        }
        if (*at != ')' || at[-1] == ',') {
            snprintf(why, why_size, "the signature is cut or has something strange at \"%.32s\"", at);
            return false;
        }
    }
    if (*skip(at + 1) != 0) {
        snprintf(why, why_size, "the signature goes on behind its last parenthesis: \"%.32s\"", at + 1);
        return false;
    }
    return true;
}
