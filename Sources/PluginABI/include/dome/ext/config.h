/*
 * ext/config.h: the configuration that create or connect got, member by member, for plugins without a JSON parser.
 */
#ifndef DOME_EXT_CONFIG_H
#define DOME_EXT_CONFIG_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for the host's get_extension; what it returns is a `const dome_config_api_t *`. */
#define DOME_EXT_CONFIG "dome.config/1"

/* OWNERSHIP: the host's; lives until `deinit` has returned. */
typedef struct dome_config_api {
    size_t struct_size; /* sizeof(dome_config_api_t) as the host knows it */

    /* The value at `pointer` (RFC 6901: "/server/port"; empty is the whole), as JSON text but for strings, which come
     * as what they stand for: no quotes, no escapes. True: `*data` and `*size` are set. False: no such value, or it
     * is null; both are left alone.
     * OWNERSHIP: `pointer` stays the plugin's; `*data` is the host's and lives until the call returns that the plugin
     * is in. [main-thread & in-call] */
    bool(DOME_CALL *get)(dome_host_t *host, const char *pointer, size_t pointer_size, const char **data,
                         size_t *size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_config_api_t;

#ifdef __cplusplus
}
#endif

#endif
