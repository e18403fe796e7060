#include "call.h"

#include <dlfcn.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "signature.h"

/* Room for any value that is passed or returned; integers narrower than a register come back widened. */
typedef union slot {
    int64_t integer;
    uint64_t word;
    float single;
    double real;
    const void *pointer;
    ffi_arg widened;
} slot_t;

typedef struct call {
    signature_t signature;
    slot_t slots[FFI_ARGUMENT_LIMIT];
    void *places[FFI_ARGUMENT_LIMIT];
    ffi_type *types[FFI_ARGUMENT_LIMIT];
    text_t texts[FFI_ARGUMENT_LIMIT]; /* what pointers point to, until the call is over */
} call_t;

static bool fail_argument(unsigned index, const type_t *type, const char *what, char *why, size_t why_size) {
    snprintf(why, why_size, "argument %u is to be %s: %s", index + 1, type->name, what);
    return false;
}

static bool set_signed(slot_t *slot, const type_t *type, json_t value) {
    int64_t number = 0;
    if (!json_integer(value, &number)) {
        return false;
    }
    int64_t highest = INT64_MAX >> (64 - 8 * type->size), lowest = -highest - 1;
    slot->integer = number;
    return number >= lowest && number <= highest;
}

static bool set_unsigned(slot_t *slot, const type_t *type, json_t value) {
    uint64_t number = 0;
    if (!json_unsigned(value, &number)) {
        return false;
    }
    slot->word = number;
    return number <= UINT64_MAX >> (64 - 8 * type->size);
}

static bool set_real(slot_t *slot, const type_t *type, json_t value) {
    double number = 0;
    if (json_kind(value) != JSON_NUMBER || !json_double(value, &number)) {
        return false;
    }
    if (type->size == sizeof(double)) {
        slot->real = number;
        return true;
    }
    slot->single = fabs(number) <= (double)FLT_MAX ? (float)number : 0;
    return fabs(number) <= (double)FLT_MAX;
}

static bool set_argument(call_t *call, unsigned index, json_t value, char *why, size_t why_size) {
    const type_t *type = call->signature.arguments[index];
    slot_t *slot = &call->slots[index];
    json_kind_t kind = json_kind(value);
    switch (type->class) {
    case TYPE_BOOL:
        slot->word = kind == JSON_TRUE;
        return kind == JSON_TRUE || kind == JSON_FALSE || fail_argument(index, type, "true or false", why, why_size);
    case TYPE_SIGNED:
        return set_signed(slot, type, value) ||
               fail_argument(index, type, "a whole number that fits", why, why_size);
    case TYPE_UNSIGNED:
        return set_unsigned(slot, type, value) ||
               fail_argument(index, type, "a whole number, not negative, that fits", why, why_size);
    case TYPE_REAL:
        return set_real(slot, type, value) || fail_argument(index, type, "a number that fits", why, why_size);
    case TYPE_STRING:
    case TYPE_BYTES:
        if (kind == JSON_NULL) {
            slot->pointer = NULL;
            return true;
        }
        if (kind != JSON_STRING) {
            return fail_argument(index, type, "a text or null", why, why_size);
        }
        if (type->class == TYPE_STRING && json_has_nul(value)) {
            return fail_argument(index, type, "a text without the character NUL", why, why_size);
        }
        text_decode(&call->texts[index], value);
        text_add(&call->texts[index], "", 1);
        slot->pointer = call->texts[index].data;
        return !call->texts[index].failed || fail_argument(index, type, "out of memory", why, why_size);
    default: return fail_argument(index, type, "something else", why, why_size);
    }
}

static bool set_arguments(call_t *call, json_t arguments, char *why, size_t why_size) {
    json_walk_t walk = json_walk(arguments);
    json_t name, value;
    unsigned given = 0;
    while (json_next(&walk, &name, &value)) {
        given++;
    }
    if (given != call->signature.given) {
        snprintf(why, why_size, "the signature has %u arguments, %u were given", call->signature.given, given);
        return false;
    }
    walk = json_walk(arguments);
    for (unsigned i = 0; i < call->signature.count; i++) {
        const type_t *type = call->signature.arguments[i];
        call->places[i] = &call->slots[i];
        call->types[i] = type->ffi;
        if (type->class == TYPE_LENGTH) {
            /* Without the NUL behind it; of null there is none. */
            size_t size = i > 0 ? call->texts[i - 1].size : 0;
            call->slots[i].word = size > 0 ? size - 1 : 0;
        } else if (!json_next(&walk, &name, &value) || !set_argument(call, i, value, why, why_size)) {
            return false;
        }
    }
    return true;
}

static void write_result(text_t *text, const type_t *type, const slot_t *slot) {
    unsigned shift = 64 - 8 * (unsigned)(type->size < 8 && type->size > 0 ? type->size : 8);
    text_literal(text, "{\"result\":");
    switch (type->class) {
    case TYPE_VOID: text_literal(text, "null"); break;
    case TYPE_BOOL: text_add(text, slot->word & 0xff ? "true" : "false", slot->word & 0xff ? 4 : 5); break;
    case TYPE_SIGNED: text_integer(text, (int64_t)(slot->word << shift) >> shift); break;
    case TYPE_UNSIGNED: text_unsigned(text, slot->word << shift >> shift); break;
    case TYPE_REAL: {
        double value = type->size == sizeof(float) ? (double)slot->single : slot->real;
        if (!text_double(text, value)) {
            /* JSON has no number for it. */
            text_literal(text, "null,\"text\":");
            const char *word = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
            text_quote(text, word, strlen(word));
        }
        break;
    }
    default:
        if (slot->pointer == NULL) {
            text_literal(text, "null");
        } else {
            text_quote(text, slot->pointer, strlen(slot->pointer));
        }
    }
    text_literal(text, "}");
}

static bool call_function(call_t *call, void *function, text_t *result, char *why, size_t why_size) {
    ffi_cif interface;
    slot_t returned = { .word = 0 };
    ffi_status status = ffi_prep_cif(&interface, FFI_DEFAULT_ABI, call->signature.count, call->signature.result->ffi,
                                     call->types);
    if (status != FFI_OK) {
        snprintf(why, why_size, "libffi cannot make such a call (status %d)", (int)status);
        return false;
    }
    void (*pointer)(void);
    memcpy(&pointer, &function, sizeof pointer);
    ffi_call(&interface, pointer, &returned, call->places);
    write_result(result, call->signature.result, &returned);
    return true;
}

static bool run(call_t *call, const ffi_target_t *target, json_t arguments, text_t *result, char *why,
                size_t why_size) {
    if (!signature_parse(target->signature, &call->signature, why, why_size) ||
        !set_arguments(call, arguments, why, why_size)) {
        return false;
    }
    void *library = dlopen(target->library, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(why, why_size, "the library cannot be loaded: %s", reason != NULL ? reason : target->library);
        return false;
    }
    void *function = dlsym(library, target->symbol);
    if (function == NULL) {
        snprintf(why, why_size, "%.128s has no symbol %.128s", target->library, target->symbol);
        return false;
    }
    return call_function(call, function, result, why, why_size);
}

bool ffi_run(const ffi_target_t *target, json_t arguments, text_t *result, char *why, size_t why_size) {
    call_t call;
    memset(&call, 0, sizeof call);
    bool is_done = run(&call, target, arguments, result, why, why_size);
    for (unsigned i = 0; i < FFI_ARGUMENT_LIMIT; i++) {
        text_free(&call.texts[i]);
    }
    return is_done;
}
