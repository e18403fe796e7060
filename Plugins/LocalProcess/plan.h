/*
 * plan.h: from a job to its launch plan. The entrypoint block of a tool's manifest says how, in one of two forms:
 *
 *   {"argv": ["rg", "--json", ["--max-count", "${task.limit}"], "--", "${task.pattern}", "${task.paths}"]}
 *       A fixed command. An element that is, as a whole, `${task.NAME}` stands for the task's member NAME: a string,
 *       number or boolean is one argument, a list is several, and one that is absent or null drops the element. A
 *       list in the command is a group: it is dropped as a whole when something in it is absent, and repeated for
 *       every element of a list in it. Nothing is ever substituted within an element and no shell takes part, so a
 *       value can never become syntax. The program itself is always fixed.
 *
 *   {"argv_from_task": true}
 *       The caller brings the command: the task is {"argv": ["program", …]} or {"script": "…"} (run by /bin/sh),
 *       each with an optional "stdin" text.
 *
 * Besides: "cwd". "stdin" ("none" or "task") and "tty" are the manifest's own members.
 */
#ifndef LOCALPROCESS_PLAN_H
#define LOCALPROCESS_PLAN_H

#include <dome/status.h>

#include "json.h"
#include "text.h"

/* A plan being made. */
typedef struct plan {
    text_t *out;
    char why[256]; /* for DOME_INVALID: what does not fit, NUL-terminated; names members, never their values */
    json_t task, entrypoint, manifest, work_directory, grants, environment;
} plan_t;

/* Writes the plan for the job `data` into plan->out. */
dome_status_t plan_make(plan_t *plan, const char *data, size_t size);

/* Sets plan->why and returns DOME_INVALID. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
dome_status_t plan_refuse(plan_t *plan, const char *format, ...);

/* arguments.c: writes `"argv":[…]`, and for a script `"files":[…]` too. */
dome_status_t plan_arguments(plan_t *plan);

/* Initializes a json_name_t. */
#define NAME(literal) { "" literal, sizeof(literal) - 1 }

#endif
