/*
 * ext/cancel.h: asks whether the answer is still wanted. A plugin that does not get this extension is not at fault: its
 * job is ended by a signal. One that gets it is to ask while it works, or it is ended by force some seconds later.
 */
#ifndef DOME_EXT_CANCEL_H
#define DOME_EXT_CANCEL_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for the host's get_extension; what it returns is a `const dome_cancel_api_t *`. */
#define DOME_EXT_CANCEL "dome.cancel/1"

/* OWNERSHIP: the host's; lives until `deinit` has returned. */
typedef struct dome_cancel_api {
    size_t struct_size; /* sizeof(dome_cancel_api_t) as the host knows it */

    /* Whether `call` was canceled or its caller has gone; once true it stays true. Then stop soon and return
     * DOME_CANCELED. It costs a system call: ask about once a millisecond, not in an inner loop.
     * [any-thread & in-call] */
    bool(DOME_CALL *is_canceled)(dome_call_t *call);

    /* New members go below this line, with the ABI minor that added them. */
} dome_cancel_api_t;

#ifdef __cplusplus
}
#endif

#endif
