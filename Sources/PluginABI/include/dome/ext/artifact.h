/*
 * ext/artifact.h: files that a job leaves behind. dome copies them when the job ends, with their SHA-256.
 */
#ifndef DOME_EXT_ARTIFACT_H
#define DOME_EXT_ARTIFACT_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for the host's get_extension; what it returns is a `const dome_artifact_api_t *`. Absent in a worker that
 * runs no job (an executor's, a scan). */
#define DOME_EXT_ARTIFACT "dome.artifact/1"

/* One artifact being written.
 * OWNERSHIP: the host's; lives from create until finish or discard, at most until its call is over. */
typedef struct dome_artifact dome_artifact_t;

/* OWNERSHIP: the host's; lives until `deinit` has returned. */
typedef struct dome_artifact_api {
    size_t struct_size; /* sizeof(dome_artifact_api_t) as the host knows it */

    /* Begins an artifact. `name` is a relative path of plain components: "report.json", "pages/1.html". NULL: a bad
     * name, one that is taken, or too many at once; the host's explain() then has the reason ready.
     * OWNERSHIP: `name` stays the plugin's; the result goes back with finish or discard. [main-thread & in-call] */
    dome_artifact_t *(DOME_CALL *create)(dome_call_t *call, const char *name, size_t name_size);

    /* Appends. How many bytes were taken, which may be fewer than `size`: go on with the rest; -1: no space left or
     * another error, and the artifact can only be discarded.
     * OWNERSHIP: `data` stays the plugin's; the host has copied it on return. [main-thread & in-call] */
    int64_t(DOME_CALL *write)(dome_artifact_t *artifact, const void *data, size_t size);

    /* Ends an artifact that is whole. False: it could not be kept, and is discarded. The handle is gone either way.
     * [main-thread & in-call] */
    bool(DOME_CALL *finish)(dome_artifact_t *artifact);

    /* Throws an artifact away. One that is neither finished nor discarded when its call returns is thrown away too.
     * [main-thread & in-call] */
    void(DOME_CALL *discard)(dome_artifact_t *artifact);

    /* New members go below this line, with the ABI minor that added them. */
} dome_artifact_api_t;

#ifdef __cplusplus
}
#endif

#endif
