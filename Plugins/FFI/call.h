/*
 * call.h: one call of a C function whose types are known only now.
 */
#ifndef FFI_CALL_H
#define FFI_CALL_H

#include "json.h"
#include "text.h"

/* What is to be called. OWNERSHIP: the strings are the caller's. */
typedef struct ffi_target {
    const char *library;   /* as dlopen takes it */
    const char *symbol;
    const char *signature; /* "double(double, int)" */
} ffi_target_t;

/* Calls it with `arguments`, a JSON array, and appends {"result": …}. False: `why` says what does not fit, naming the
 * argument, the symbol or the library. A function that is not what its signature says may crash: that is the caller's
 * risk, and the end of this process. */
bool ffi_run(const ffi_target_t *target, json_t arguments, text_t *result, char *why, size_t why_size);

#endif
