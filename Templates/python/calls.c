/*
 * calls.c: the object that a function of plugin.py gets as `call`.
 */
#include "bridge.h"

typedef struct {
    PyObject_HEAD
    dome_call_t *call; /* NULL when it is over */
    bool was_canceled;
} call_t;

static bool is_open(call_t *self) {
    if (self->call == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this call is over: do not keep it");
    }
    return self->call != NULL;
}

static PyObject *call_is_canceled(PyObject *object, PyObject *nothing) {
    call_t *self = (call_t *)object;
    (void)nothing;
    if (!is_open(self)) {
        return NULL;
    }
    if (cancel != NULL && cancel->is_canceled(self->call)) {
        self->was_canceled = true;
    }
    return PyBool_FromLong(self->was_canceled);
}

static PyObject *call_progress(PyObject *object, PyObject *arguments) {
    call_t *self = (call_t *)object;
    double value = 0;
    const char *message = "";
    Py_ssize_t size = 0;
    if (!is_open(self) || !PyArg_ParseTuple(arguments, "d|s#", &value, &message, &size)) {
        return NULL;
    }
    if (progress != NULL) {
        progress->report(self->call, value, message, (size_t)size);
    }
    Py_RETURN_NONE;
}

static PyObject *call_log(PyObject *object, PyObject *arguments) {
    const char *message = "";
    Py_ssize_t size = 0;
    (void)object;
    if (!PyArg_ParseTuple(arguments, "s#", &message, &size)) {
        return NULL;
    }
    if (host_log != NULL) {
        host_log->write(host_self, DOME_LOG_INFO, message, (size_t)size);
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    { "is_canceled", call_is_canceled, METH_NOARGS, "Whether the result is no longer wanted." },
    { "progress", call_progress, METH_VARARGS, "progress(value, message=''): how far the job is." },
    { "log", call_log, METH_VARARGS, "log(message): a line for dome's log." },
    { NULL, NULL, 0, NULL },
};

static PyTypeObject call_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dome.Call",
    .tp_basicsize = sizeof(call_t),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = methods,
};

bool call_type_ready(void) {
    return PyType_Ready(&call_type) == 0;
}

PyObject *call_object(dome_call_t *call) {
    call_t *self = PyObject_New(call_t, &call_type);
    if (self != NULL) {
        self->call = call;
        self->was_canceled = false;
    }
    return (PyObject *)self;
}

void call_object_end(PyObject *object) {
    ((call_t *)object)->call = NULL;
    Py_DECREF(object);
}

bool call_object_was_canceled(PyObject *object) {
    return ((call_t *)object)->was_canceled;
}
