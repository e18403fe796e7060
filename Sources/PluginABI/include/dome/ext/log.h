/*
 * ext/log.h: lines for dome's own log. Not for a job's output, and never for task values, environments or secrets.
 */
#ifndef DOME_EXT_LOG_H
#define DOME_EXT_LOG_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for the host's get_extension; what it returns is a `const dome_log_api_t *`. */
#define DOME_EXT_LOG "dome.log/1"

typedef int32_t dome_log_level_t;

#define DOME_LOG_DEBUG ((dome_log_level_t)0)
#define DOME_LOG_INFO ((dome_log_level_t)1)
#define DOME_LOG_WARNING ((dome_log_level_t)2)
#define DOME_LOG_ERROR ((dome_log_level_t)3)

/* OWNERSHIP: the host's; lives until `deinit` has returned. */
typedef struct dome_log_api {
    size_t struct_size; /* sizeof(dome_log_api_t) as the host knows it */

    /* Writes one line. Line breaks and control characters become spaces; what is longer than the host's limit
     * (at least 1,000 bytes) is cut.
     * OWNERSHIP: `message` stays the plugin's; the host has copied it on return. [any-thread & loaded] */
    void(DOME_CALL *write)(dome_host_t *host, dome_log_level_t level, const char *message, size_t size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_log_api_t;

#ifdef __cplusplus
}
#endif

#endif
