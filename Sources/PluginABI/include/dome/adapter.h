/*
 * adapter.h: the kind of plugin that offers actions: each becomes a tool, `<name>.<action>`, that clients list and run.
 *
 * A job of such a tool is one fresh worker process in dome's sandbox, with the permissions of the plugin's plugin.json
 * and no others. The verbs, in this order: connect, execute (once), disconnect; dome calls health and audit on a
 * connection too. What the process holds is gone afterwards: keep nothing between jobs but in what was granted.
 *
 * The descriptor's declaration (entry.h) says which actions there are:
 *   {"actions": [{"name": "say", "title": "Say", "description": "…", "input_schema": {…}, "output_schema": {…},
 *                 "side_effects": ["…"], "limits": {"wall_seconds": 10}}],
 *    "config_schema": {…}, "capabilities": ["…"]}
 * "name" (a-z, 0-9, '-', '_', '.') and "input_schema" (JSON Schema 2020-12) are required. dome checks a payload
 * against its schema before the plugin sees it. It must be the same declaration on every machine and every start: it
 * is read once, in a scan, and kept by the hash of the library.
 *
 * What connect gets as `config` is one JSON object: the members that the user has set for this plugin, with those of
 * the tool's own manifest over them. It fits the declaration's config_schema.
 */
#ifndef DOME_ADAPTER_H
#define DOME_ADAPTER_H

#include "entry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for entry.h's get_factory; what it returns is a `const dome_adapter_api_t *`. */
#define DOME_ADAPTER "dome.adapter/1"

/* A connection. Yours to define: `struct dome_adapter { … };` in your own source.
 * OWNERSHIP: the plugin's; lives from connect to disconnect. */
typedef struct dome_adapter dome_adapter_t;

/* OWNERSHIP: static data of the plugin; lives until deinit. */
typedef struct dome_adapter_api {
    size_t struct_size; /* sizeof(dome_adapter_api_t) */

    /* OWNERSHIP: the result is the plugin's and lives until deinit; never NULL. Scans call it: no connection is
     * needed. [main-thread & loaded] */
    const dome_descriptor_t *(DOME_CALL *get_descriptor)(void);

    /* Makes a connection. On DOME_OK `*adapter` is set, not NULL, and active; otherwise it is left alone (say why
     * with explain).
     * OWNERSHIP: `config` is the host's and lives until connect returns; the host gives the connection to disconnect.
     * [main-thread & loaded] */
    dome_status_t(DOME_CALL *connect)(dome_call_t *call, const char *config, size_t config_size,
                                      dome_adapter_t **adapter);

    /* Does `action` with `payload`, a JSON text that fits the action's input_schema, and answers by the host's
     * reply() with the result, one JSON text that fits its output_schema. An action that the declaration names is
     * known; answer any other with DOME_INVALID. May take as long as the job may.
     * Failures: any status; say why with explain. DOME_CANCELED only after is_canceled() said so.
     * OWNERSHIP: `action` and `payload` are the host's and live until execute returns. [main-thread & active] */
    dome_status_t(DOME_CALL *execute)(dome_adapter_t *adapter, dome_call_t *call, const char *action,
                                      size_t action_size, const char *payload, size_t payload_size);

    /* Optional, may be NULL: then a connection that was made is healthy. Answers by reply() with
     * {"ok": true|false, "message"?: "…"}, within a second. [main-thread & active] */
    dome_status_t(DOME_CALL *health)(dome_adapter_t *adapter, dome_call_t *call);

    /* Optional, may be NULL. Tells what dome puts on record of this job, for plugins that keep a record of their own:
     * a JSON object, {"kind": "job_started"|"job_ended", "job_id": "…", "tool_id": "…", "action": "…",
     * "error"?: "E_…"}. Nothing can be answered. More kinds and members may come.
     * OWNERSHIP: `event` is the host's and lives until audit returns. [main-thread & active] */
    void(DOME_CALL *audit)(dome_adapter_t *adapter, const char *event, size_t event_size);

    /* Ends the connection; frees all of it. [main-thread & active; no call on it is under way] */
    void(DOME_CALL *disconnect)(dome_adapter_t *adapter);

    /* Optional, may be NULL. The plugin's function table for an optional feature, or NULL.
     * OWNERSHIP: the table is the plugin's and lives until disconnect. [main-thread & active] */
    const void *(DOME_CALL *get_extension)(dome_adapter_t *adapter, const char *id, size_t id_size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_adapter_api_t;

#ifdef __cplusplus
}
#endif

#endif
