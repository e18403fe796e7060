/*
 * executor_drive.h: for an executor whose jobs run elsewhere (a cluster, a remote service). Since ABI 1.1.
 *
 * An executor offers this table by its get_extension, besides `prepare` or instead of it. A job is driven when the
 * executor has no `prepare`, or when its `prepare` answers DOME_UNSUPPORTED for it; dome's own sandbox then has no part
 * in it. What a driver can reach is what its worker's jail lets it reach: the permissions of its plugin.json.
 *
 * `start` hands the job over and answers with a handle; dome stores the handle durably before it calls `poll` for the
 * first time. From then on the handle is all that is needed: the daemon, the worker and the machine may end at any
 * time, and the next worker takes the job up again with `recover`. So keep nothing that matters in memory, and nothing
 * that the job needs in this process: it ends with its worker.
 *
 * dome writes the job's events. It asks `poll` for what came after a cursor, writes that down, and then asks with the
 * new cursor. After a crash it may ask with an older one again, the last that was written down: answer the same again.
 * Only when `poll` is called with a cursor may what lies before it be thrown away.
 *
 * All answers but those of read_artifact are JSON objects given by the host's reply(); members that dome does not know
 * are ignored. Every call is to come back within a second; one that takes longer than ten ends the worker, as a crash
 * does.
 */
#ifndef DOME_EXECUTOR_DRIVE_H
#define DOME_EXECUTOR_DRIVE_H

#include "executor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id for dome_executor_api_t.get_extension; what it returns is a `const dome_executor_drive_api_t *`. */
#define DOME_EXT_EXECUTOR_DRIVE "dome.executor.drive/1"

/* OWNERSHIP: the plugin's; lives until the instance is destroyed. Arguments are the host's, until the call returns. */
typedef struct dome_executor_drive_api {
    size_t struct_size; /* sizeof(dome_executor_drive_api_t) */

    /* Hands `job` (executor.h) over. Answer: {"handle": "…"}, 1 to 4,096 bytes of text without control characters. The
     * job's "job_id" is the idempotency key: started twice with the same one (dome does not know whether a call came
     * through that a crash cut short), it answers the same handle and starts nothing.
     * Failures end the job before it ran. [main-thread & active] */
    dome_status_t(DOME_CALL *start)(dome_executor_t *executor, dome_call_t *call, const char *job, size_t job_size);

    /* What happened since `cursor` (empty the first time). Does not wait. Answer, at most 4 MiB:
     *   "state"         "queued", "running", "succeeded", "failed" or "canceled"; never back from running to queued,
     *                   and nothing after the last three
     *   "exit_code"     0 to 255, if there was one; 0 or none with "succeeded"
     *   "message"       for people: why it failed, or what it waits for
     *   "cursor"        at most 4,096 bytes of text; another one whenever there is output. The same if it is missing
     *   "next_poll_ms"  when to ask again: 20 to 60,000, 1,000 if it is missing
     *   "output"        [{"stream": "stdout"|"stderr", "text": "…"} or {…, "base64": "…"}], in order; pieces need not
     *                   end where lines do
     * DOME_UNAVAILABLE: the system behind it cannot be asked now; dome asks again, less and less often.
     * DOME_NOT_FOUND: it has no such job (any more), and dome ends it as failed. Any other failure five times in a row
     * ends the job as failed. [main-thread & active] */
    dome_status_t(DOME_CALL *poll)(dome_executor_t *executor, dome_call_t *call, const char *handle,
                                   size_t handle_size, const char *cursor, size_t cursor_size);

    /* Asks for the job's end, by force if `force`; `poll` then shows when it has come. Canceling what has ended is
     * DOME_OK. It may be called again for the same job. [main-thread & active] */
    dome_status_t(DOME_CALL *cancel)(dome_executor_t *executor, dome_call_t *call, const char *handle,
                                     size_t handle_size, bool force);

    /* Takes up a handle that an earlier process started, before any other call with it. DOME_UNAVAILABLE and
     * DOME_NOT_FOUND as with poll. [main-thread & active] */
    dome_status_t(DOME_CALL *recover)(dome_executor_t *executor, dome_call_t *call, const char *handle,
                                      size_t handle_size);

    /* What the job left that is to be kept, asked once it has ended. Answer, at most 4 MiB:
     *   {"artifacts": [{"name": "report/index.html", "bytes": 1234}, …]}
     * "name" is a relative path of plain components, as below /job/out of a job that runs here; "bytes" is the file's
     * size. DOME_OK without an answer: nothing. dome keeps the same of it as of /job/out, within the same limits, and
     * tells what it left out, and why (docs/ARTIFACTS.md). DOME_UNAVAILABLE: dome asks again. Any other failure five
     * times in a row: the artifacts are lost, and the job's record says so; how the job ended stays as it is.
     *
     * list_artifacts and read_artifact come together. NULL, both: its jobs leave nothing. [main-thread & active] */
    dome_status_t(DOME_CALL *list_artifacts)(dome_executor_t *executor, dome_call_t *call, const char *handle,
                                             size_t handle_size);

    /* Bytes of one artifact from `offset` on, by reply(), as they are: at most `size` of them, fewer if it is quicker,
     * none only at its end. dome asks until it has as many as the list says; one that ends before, or goes on, is left
     * out. After a crash dome may begin again, with the list. So keep what a job left for an hour after its end.
     * [main-thread & active] */
    dome_status_t(DOME_CALL *read_artifact)(dome_executor_t *executor, dome_call_t *call, const char *handle,
                                            size_t handle_size, const char *name, size_t name_size, uint64_t offset,
                                            size_t size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_executor_drive_api_t;

#ifdef __cplusplus
}
#endif

#endif
