/*
 * host.h: what the host offers to a plugin. Nothing is linked: the plugin gets this table in `init` and finds
 * everything beyond it by id.
 *
 * Three handles cross, each a type of its own so that the compiler catches a mix-up. `dome_host_t` and `dome_call_t`
 * are the host's and never defined for plugins; each kind of plugin names its own (executor.h), which is the plugin's
 * to define.
 */
#ifndef DOME_HOST_H
#define DOME_HOST_H

#include "status.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The host, as the plugin holds it. OWNERSHIP: the host's; lives from `init` until `deinit` has returned. */
typedef struct dome_host dome_host_t;

/* One call from the host into the plugin: where its answer goes and whether it was canceled.
 * OWNERSHIP: the host's; valid until the plugin returns from the call that brought it. */
typedef struct dome_call dome_call_t;

/* OWNERSHIP of the table and its text: the host's; both live until `deinit` has returned. */
typedef struct dome_host_api {
    size_t struct_size; /* sizeof(dome_host_api_t) as the host knows it */

    uint32_t abi_major; /* the host's own ABI version: at least what the plugin was built for */
    uint32_t abi_minor;
    dome_text_t name;    /* of the host program, for log lines: never decide anything by it */
    dome_text_t version; /* its semantic version */

    /* The host's function table for an extension id (ext/), or NULL when it has none.
     * OWNERSHIP: the table is the host's and lives until `deinit` has returned.
     * [main-thread & (in init or loaded)] */
    const void *(DOME_CALL *get_extension)(dome_host_t *host, const char *id, size_t id_size);

    /* Appends to the answer of `call`. Call it as often as you like: the pieces are joined, and count only if the
     * call then returns DOME_OK. False: the answer is larger than the host accepts (16 MiB at least are), or this
     * call is over.
     * OWNERSHIP: `data` stays the plugin's; the host has copied it on return.
     * [main-thread & in-call] */
    bool(DOME_CALL *reply)(dome_call_t *call, const char *data, size_t size);

    /* Says in one line why `call` is about to fail: what, on which member, and what to do. Users read it; the last
     * one counts, and only if the call then does not return DOME_OK. Never put task values or secrets in it.
     * OWNERSHIP: `message` stays the plugin's; the host has copied it on return.
     * [main-thread & in-call] */
    void(DOME_CALL *explain)(dome_call_t *call, const char *message, size_t size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_host_api_t;

#ifdef __cplusplus
}
#endif

#endif
