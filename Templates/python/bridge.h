/*
 * bridge.h: a dome plugin whose actions are Python functions. You need not change the bridge: write plugin.py.
 */
#ifndef BRIDGE_H
#define BRIDGE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dome/dome.h>

extern const dome_host_api_t *host;
extern dome_host_t *host_self;

/* What the host's extensions are; NULL where it has none. */
extern const dome_cancel_api_t *cancel;
extern const dome_progress_api_t *progress;
extern const dome_log_api_t *host_log;

/* Starts Python if it does not run yet, and loads plugin.py. Otherwise the reason is explained to `call`. */
bool bridge_start(dome_call_t *call);
void bridge_stop(void);

/* Calls the function of plugin.py that is named like the action. */
dome_status_t bridge_call(dome_call_t *call, const char *action, size_t action_size, const char *payload,
                          size_t payload_size);

/* Of calls.c: the object that functions get as `call`. */
bool call_type_ready(void);
PyObject *call_object(dome_call_t *call);
/* The call is over: whoever kept the object gets exceptions from it. */
void call_object_end(PyObject *object);
bool call_object_was_canceled(PyObject *object);

#endif
