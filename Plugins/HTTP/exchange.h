/*
 * exchange.h: one request with its redirects, each step of them held against the rules.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "job.h"
#include "rules.h"
#include "task.h"
#include "text.h"

/* Carries the task out and appends the result, {"status", "url", "headers", …}. Other than DOME_OK: why was said. */
dome_status_t exchange_run(const job_t *job, const rules_t *rules, const task_t *task, text_t *result);

/* Whether the rules let a request go to this place. False: `why` says what is to be done. */
bool exchange_is_allowed(const rules_t *rules, const place_t *place, char *why, size_t why_size);

#endif
