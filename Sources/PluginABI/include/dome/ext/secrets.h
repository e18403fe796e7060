/*
 * ext/secrets.h: what only this plugin's jobs may know: keys, passwords. They are in no environment, no argument and
 * no journal; keep them out of replies, log lines, explanations and artifacts.
 */
#ifndef DOME_EXT_SECRETS_H
#define DOME_EXT_SECRETS_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for the host's get_extension; what it returns is a `const dome_secrets_api_t *`. */
#define DOME_EXT_SECRETS "dome.secrets/1"

/* OWNERSHIP: the host's; lives until `deinit` has returned. */
typedef struct dome_secrets_api {
    size_t struct_size; /* sizeof(dome_secrets_api_t) as the host knows it */

    /* The secret `name`, which plugin.json must declare ("secrets": ["API_KEY"]). True: `*data` and `*size` are set
     * (any bytes, may be empty). False: not declared, or the user has set none; both are left alone.
     * OWNERSHIP: `name` stays the plugin's; `*data` is the host's and lives until the call returns that the plugin
     * is in. [main-thread & in-call] */
    bool(DOME_CALL *get)(dome_host_t *host, const char *name, size_t name_size, const char **data, size_t *size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_secrets_api_t;

#ifdef __cplusplus
}
#endif

#endif
