/*
 * draft/adapter.h: the kind of plugin that offers actions itself, in a fresh sandboxed worker per job.
 *
 * DRAFT: no host loads one yet; it may change before it moves out of draft/, and keeps its id when it does.
 *
 * The verbs of a job, in order: connect, execute, disconnect. `health` may be asked of any connection; `audit` tells
 * the plugin what dome has put on record. The actions, with their input and output schemas, stand in the descriptor's
 * declaration: {"actions": [{"name": "…", "input_schema": {…}, "output_schema": {…}}]}.
 */
#ifndef DOME_DRAFT_ADAPTER_H
#define DOME_DRAFT_ADAPTER_H

#include "../entry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for entry.h's get_factory; what it returns is a `const dome_adapter_api_t *`. */
#define DOME_ADAPTER "dome.adapter/1"

/* A connection. Yours to define. OWNERSHIP: the plugin's; lives from connect to disconnect. */
typedef struct dome_adapter dome_adapter_t;

/* OWNERSHIP: static data of the plugin; lives until deinit. Arguments are the host's, until the call returns. */
typedef struct dome_adapter_api {
    size_t struct_size; /* sizeof(dome_adapter_api_t) */

    /* OWNERSHIP: the result is the plugin's and lives until deinit; never NULL. [main-thread & loaded] */
    const dome_descriptor_t *(DOME_CALL *get_descriptor)(void);

    /* Makes a connection from `config`, a JSON object. [main-thread & loaded] */
    dome_status_t(DOME_CALL *connect)(dome_call_t *call, const char *config, size_t config_size,
                                      dome_adapter_t **adapter);

    /* Does `action` with `payload` (JSON) and answers with its result (JSON). [main-thread & active] */
    dome_status_t(DOME_CALL *execute)(dome_adapter_t *adapter, dome_call_t *call, const char *action,
                                      size_t action_size, const char *payload, size_t payload_size);

    /* Optional, may be NULL. Answers {"ok": true, "message"?: "…"}. [main-thread & active] */
    dome_status_t(DOME_CALL *health)(dome_adapter_t *adapter, dome_call_t *call);

    /* Optional, may be NULL. `event` is a JSON object. [main-thread & active] */
    void(DOME_CALL *audit)(dome_adapter_t *adapter, const char *event, size_t event_size);

    /* Ends the connection; frees all of it. [main-thread & active] */
    void(DOME_CALL *disconnect)(dome_adapter_t *adapter);

    /* The plugin's function table for an optional feature, or NULL. [main-thread & active] */
    const void *(DOME_CALL *get_extension)(dome_adapter_t *adapter, const char *id, size_t id_size);
} dome_adapter_api_t;

#ifdef __cplusplus
}
#endif

#endif
