/*
 * ext/progress.h: how far a job is; each report becomes an event that its followers see.
 */
#ifndef DOME_EXT_PROGRESS_H
#define DOME_EXT_PROGRESS_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for the host's get_extension; what it returns is a `const dome_progress_api_t *`. */
#define DOME_EXT_PROGRESS "dome.progress/1"

/* OWNERSHIP: the host's; lives until `deinit` has returned. */
typedef struct dome_progress_api {
    size_t struct_size; /* sizeof(dome_progress_api_t) as the host knows it */

    /* Reports how far `call` is: `value` is any finite number, by habit from 0 to 1 or from 0 to 100; `message` is one
     * line, may be empty. The host may leave out reports that follow each other within a few milliseconds, never the
     * last. A report outside a job (in `prepare`, say) goes nowhere.
     * OWNERSHIP: `message` stays the plugin's; the host has copied it on return. [any-thread & in-call] */
    void(DOME_CALL *report)(dome_call_t *call, double value, const char *message, size_t size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_progress_api_t;

#ifdef __cplusplus
}
#endif

#endif
