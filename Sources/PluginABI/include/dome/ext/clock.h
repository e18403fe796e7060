/*
 * ext/clock.h: what time it is, and how much of it is left. Through the host, so that a test can set it.
 */
#ifndef DOME_EXT_CLOCK_H
#define DOME_EXT_CLOCK_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for the host's get_extension; what it returns is a `const dome_clock_api_t *`. */
#define DOME_EXT_CLOCK "dome.clock/1"

/* What `remaining_nanoseconds` says when there is no limit. */
#define DOME_CLOCK_UNLIMITED INT64_MAX

/* OWNERSHIP: the host's; lives until `deinit` has returned. */
typedef struct dome_clock_api {
    size_t struct_size; /* sizeof(dome_clock_api_t) as the host knows it */

    /* Nanoseconds since some moment before; never goes back. [any-thread & loaded] */
    int64_t(DOME_CALL *monotonic_nanoseconds)(dome_host_t *host);

    /* Nanoseconds since 1970-01-01T00:00:00Z, as the machine's clock has it. [any-thread & loaded] */
    int64_t(DOME_CALL *wall_nanoseconds)(dome_host_t *host);

    /* Until `call` is ended for its time limit; 0 when that has come; DOME_CLOCK_UNLIMITED.
     * [any-thread & in-call] */
    int64_t(DOME_CALL *remaining_nanoseconds)(dome_call_t *call);

    /* New members go below this line, with the ABI minor that added them. */
} dome_clock_api_t;

#ifdef __cplusplus
}
#endif

#endif
