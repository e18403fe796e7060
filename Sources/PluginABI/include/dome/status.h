/*
 * status.h: what a call can end as. Zero is success; the host reads a value it does not know as DOME_INTERNAL.
 * Values are never renumbered; new ones are added at the end.
 */
#ifndef DOME_STATUS_H
#define DOME_STATUS_H

#include "platform.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t dome_status_t;

#define DOME_OK ((dome_status_t)0)
/* The caller asked for something wrong: a task or a manifest that does not fit. Say which member. */
#define DOME_INVALID ((dome_status_t)1)
/* Asked for correctly, but this plugin cannot do it. */
#define DOME_UNSUPPORTED ((dome_status_t)2)
/* Forbidden by the plugin's own rules or by the system behind it. */
#define DOME_DENIED ((dome_status_t)3)
/* What was named does not exist (any more). */
#define DOME_NOT_FOUND ((dome_status_t)4)
/* Not now: no memory, system behind it away, quota. The same call may succeed later. */
#define DOME_UNAVAILABLE ((dome_status_t)5)
/* Given up because is_canceled() said so (ext/cancel.h). */
#define DOME_CANCELED ((dome_status_t)6)
/* A defect in the plugin. */
#define DOME_INTERNAL ((dome_status_t)7)

#ifdef __cplusplus
}
#endif

#endif
