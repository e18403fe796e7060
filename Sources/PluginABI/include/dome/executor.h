/*
 * executor.h: the kind of plugin that decides how a job is run.
 *
 * `prepare` turns a job into a launch plan, which dome then runs in its sandbox. A plan is a request: dome intersects
 * it with the tool's manifest, the policy and the caller's grants, and whatever goes beyond is refused, so an executor
 * is no way round the sandbox. An executor that drives jobs elsewhere (a cluster) offers the extension of
 * executor_drive.h besides or instead.
 *
 * The job, a JSON object (more members may come; ignore those you do not know):
 *   "job_id", "run_id", "tool_id", "profile"   text
 *   "task"             the caller's input, already valid under the tool's input schema
 *   "constraints"      the caller's constraints, an object
 *   "manifest"         the tool's tool.json, whole
 *   "entrypoint"       the manifest's entrypoint block: what this executor goes by; its shape is the executor's own
 *   "work_directory"   absolute, writable, the job's own, empty: "/job"
 *   "grants"           ["fs.read:/x", "fs.write:/y", …]: permissions with their paths resolved
 *   "environment"      {"NAME": "value"}: what the job gets in any case
 *
 * The launch plan, a JSON object; only "argv" is required:
 *   "argv"         ["program", "argument", …]: at least one, no NUL characters; no shell takes part
 *   "environment"  {"NAME": "value"}: the whole environment, not additions
 *   "cwd"          absolute; the work directory by default
 *   "stdin"        "none" (the default), "task" (the task's JSON text), or {"text": "…"}
 *   "files"        [{"path": "script", "mode": 448, "text": "…"}]: written below the work directory before the start
 *   "mounts"       [{"path": "/x", "mode": "read"|"write"}]: host paths that the job is to see
 *   "limits"       {"wall_ms": 1000, …}: narrower ones than the manifest's
 *   "network"      "none" (the default), "loopback" or "full"
 *   "tty"          true for a pseudo-terminal; false by default
 */
#ifndef DOME_EXECUTOR_H
#define DOME_EXECUTOR_H

#include "entry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for entry.h's get_factory; what it returns is a `const dome_executor_api_t *`. */
#define DOME_EXECUTOR "dome.executor/1"

/* An instance. Yours to define: `struct dome_executor { … };` in your own source.
 * OWNERSHIP: the plugin's; lives from create to destroy. */
typedef struct dome_executor dome_executor_t;

/* OWNERSHIP: static data of the plugin; lives until deinit. */
typedef struct dome_executor_api {
    size_t struct_size; /* sizeof(dome_executor_api_t) */

    /* OWNERSHIP: the result is the plugin's and lives until deinit; never NULL. [main-thread & loaded] */
    const dome_descriptor_t *(DOME_CALL *get_descriptor)(void);

    /* Makes an instance. `config` is a JSON object that fits the descriptor's config_schema, "{}" when none is set.
     * On DOME_OK `*executor` is set and active; otherwise it is left alone (say why with explain).
     * OWNERSHIP: `config` is the host's and lives until create returns; the host gives the instance to destroy.
     * [main-thread & loaded] */
    dome_status_t(DOME_CALL *create)(dome_call_t *call, const char *config, size_t config_size,
                                     dome_executor_t **executor);

    /* Ends an instance; frees all of it. [main-thread & active; no call on it is under way] */
    void(DOME_CALL *destroy)(dome_executor_t *executor);

    /* The plugin's function table for an optional feature, or NULL.
     * OWNERSHIP: the table is the plugin's and lives until destroy. [main-thread & active] */
    const void *(DOME_CALL *get_extension)(dome_executor_t *executor, const char *id, size_t id_size);

    /* Answers with the launch plan for `job` by the host's reply(). Decides only: touches no file, starts nothing,
     * and gives the same plan for the same job. It is on the path of every job: aim below 50 microseconds.
     * Failures: DOME_INVALID for a task or an entrypoint that does not fit.
     * Optional, may be NULL, in an executor with the table of executor_drive.h: then all its jobs are driven, and those
     * for which prepare answers DOME_UNSUPPORTED otherwise.
     * OWNERSHIP: `job` is the host's and lives until prepare returns. [main-thread & active] */
    dome_status_t(DOME_CALL *prepare)(dome_executor_t *executor, dome_call_t *call, const char *job, size_t job_size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_executor_api_t;

#ifdef __cplusplus
}
#endif

#endif
