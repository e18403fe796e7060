/*
 * job.h: the call under way, and what the host offers it.
 */
#ifndef HTTP_JOB_H
#define HTTP_JOB_H

#include <dome/dome.h>

/* Extensions may be NULL: a host need not have them. */
typedef struct job {
    dome_host_t *host;
    const dome_host_api_t *api;
    const dome_cancel_api_t *cancel;
    const dome_progress_api_t *progress;
    const dome_secrets_api_t *secrets;
    const dome_artifact_api_t *artifact;
    const dome_clock_api_t *clock;
    dome_call_t *call;
} job_t;

/* Says why, in one line of plain characters; gives `status` back. */
dome_status_t job_fail(const job_t *job, dome_status_t status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
