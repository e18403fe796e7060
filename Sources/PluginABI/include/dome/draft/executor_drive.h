/*
 * draft/executor_drive.h: for an executor whose jobs run elsewhere (a cluster, a remote service).
 *
 * DRAFT: no host drives it yet; it may change before it moves out of draft/, and keeps its id when it does.
 *
 * `start` hands the job over and answers with a handle; dome stores the handle durably before it counts the job as
 * started. From then on the handle is all that is needed: after a restart of anything `recover` re-attaches by it.
 * All answers are JSON objects given by the host's reply().
 */
#ifndef DOME_DRAFT_EXECUTOR_DRIVE_H
#define DOME_DRAFT_EXECUTOR_DRIVE_H

#include "../executor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for dome_executor_api_t.get_extension; what it returns is a `const dome_executor_drive_api_t *`. */
#define DOME_EXT_EXECUTOR_DRIVE "dome.executor.drive/1"

/* OWNERSHIP: the plugin's; lives until the instance is destroyed. Arguments are the host's, until the call returns. */
typedef struct dome_executor_drive_api {
    size_t struct_size; /* sizeof(dome_executor_drive_api_t) */

    /* Hands `job` (executor.h) over. Answer: {"handle": "…"}, at most 4,096 bytes of text. The job's "job_id" is the
     * idempotency key: started twice with the same one, it answers the same handle. [main-thread & active] */
    dome_status_t(DOME_CALL *start)(dome_executor_t *executor, dome_call_t *call, const char *job, size_t job_size);

    /* What happened since `cursor` (empty the first time). Answer: {"state": "queued"|"running"|"succeeded"|"failed"|
     * "canceled", "exit_code"?: 0, "message"?: "…", "cursor": "…", "next_poll_ms": 1000,
     * "output"?: [{"stream": "stdout"|"stderr", "text"|"base64": "…"}]}. Does not wait. [main-thread & active] */
    dome_status_t(DOME_CALL *poll)(dome_executor_t *executor, dome_call_t *call, const char *handle,
                                   size_t handle_size, const char *cursor, size_t cursor_size);

    /* Asks for the job's end, by force if `force`; poll then shows when it has come. Canceling what has ended is
     * DOME_OK. [main-thread & active] */
    dome_status_t(DOME_CALL *cancel)(dome_executor_t *executor, dome_call_t *call, const char *handle,
                                     size_t handle_size, bool force);

    /* Takes up a handle that an earlier process started. DOME_NOT_FOUND: the system behind it has no such job (any
     * more), and dome ends it as failed. [main-thread & active] */
    dome_status_t(DOME_CALL *recover)(dome_executor_t *executor, dome_call_t *call, const char *handle,
                                      size_t handle_size);
} dome_executor_drive_api_t;

#ifdef __cplusplus
}
#endif

#endif
