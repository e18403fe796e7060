/*
 * bridge.c: the plugin as dome sees it, and Python behind it. plugin.py is part of the library, so that the library's
 * hash is that of the whole plugin. Python starts with the first connection and ends with deinit.
 */
#define _GNU_SOURCE
#include "bridge.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "declaration.h"

const dome_host_api_t *host;
dome_host_t *host_self;
const dome_cancel_api_t *cancel;
const dome_progress_api_t *progress;
const dome_log_api_t *host_log;

/* plugin.py, with a NUL behind it. */
__asm__(".section .rodata\n"
        "plugin_source: .incbin \"" SOURCE_FILE "\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char plugin_source[] __attribute__((visibility("hidden")));

static PyObject *functions; /* what plugin.py defines */
static PyObject *json_loads, *json_dumps;

struct dome_adapter {
    unsigned calls;
};

static void explain(dome_call_t *call, const char *text, size_t size) {
    host->explain(call, text, size);
}

/* Explains the exception under way, "ValueError: …", on one line, and clears it. */
static void explain_exception(dome_call_t *call) {
    PyObject *type = NULL, *value = NULL, *trace = NULL;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    PyObject *text = value == NULL ? NULL : PyObject_Str(value);
    PyObject *line = NULL;
    if (text != NULL && type != NULL) {
        line = PyUnicode_FromFormat("%s: %U", ((PyTypeObject *)type)->tp_name, text);
    }
    PyObject *bytes = line == NULL ? NULL : PyUnicode_AsEncodedString(line, "utf-8", "replace");
    if (bytes != NULL) {
        char *data = PyBytes_AS_STRING(bytes);
        Py_ssize_t size = PyBytes_GET_SIZE(bytes) < 1000 ? PyBytes_GET_SIZE(bytes) : 1000;
        /* Not in the middle of a character. */
        while (size > 0 && size == 1000 && ((unsigned char)data[size] & 0xc0) == 0x80) {
            size--;
        }
        for (Py_ssize_t index = 0; index < size; index++) {
            if (data[index] == '\n') {
                data[index] = ' ';
            }
        }
        explain(call, data, (size_t)size);
    } else {
        explain(call, DOME_TEXT("an exception without words"));
    }
    PyErr_Clear();
    Py_XDECREF(bytes);
    Py_XDECREF(line);
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
}

/* Modules in C look for Python's symbols among those of the whole process; dome opens plugins for themselves. */
static void show_symbols(void) {
    Dl_info info;
    if (dladdr((void *)(uintptr_t)Py_IsInitialized, &info) != 0 && info.dli_fname != NULL) {
        dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
    }
}

static bool start_python(void) {
    PyConfig config;
    show_symbols();
    PyConfig_InitIsolatedConfig(&config); /* no environment, no signal handlers */
    config.site_import = 0;
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return !PyStatus_Exception(status);
}

static bool load(void) {
    PyObject *module = PyImport_ImportModule("json");
    if (module == NULL) {
        return false;
    }
    json_loads = PyObject_GetAttrString(module, "loads");
    json_dumps = PyObject_GetAttrString(module, "dumps");
    Py_DECREF(module);
    PyObject *code = Py_CompileString(plugin_source, SOURCE_FILE, Py_file_input);
    PyObject *made = code == NULL ? NULL : PyImport_ExecCodeModule("plugin", code);
    Py_XDECREF(code);
    if (made == NULL || json_loads == NULL || json_dumps == NULL || !call_type_ready()) {
        Py_XDECREF(made);
        return false;
    }
    functions = made;
    return true;
}

bool bridge_start(dome_call_t *call) {
    if (functions != NULL) {
        return true;
    }
    if (!Py_IsInitialized() && !start_python()) {
        explain(call, DOME_TEXT("Python cannot be started: is its standard library installed?"));
        return false;
    }
    if (!load()) {
        explain_exception(call);
        return false;
    }
    return true;
}

void bridge_stop(void) {
    Py_CLEAR(functions);
    Py_CLEAR(json_loads);
    Py_CLEAR(json_dumps);
    if (Py_IsInitialized()) {
        Py_FinalizeEx();
    }
}

/* The function of an action that ACTIONS names; NULL without an exception if there is none. */
static PyObject *find_function(const char *action, size_t size) {
    PyObject *name = PyUnicode_DecodeUTF8(action, (Py_ssize_t)size, NULL);
    PyObject *actions = PyObject_GetAttrString(functions, "ACTIONS"), *found = NULL;
    for (Py_ssize_t index = 0; name != NULL && actions != NULL && index < PySequence_Size(actions); index++) {
        PyObject *item = PySequence_GetItem(actions, index);
        PyObject *known = item == NULL ? NULL : PyMapping_GetItemString(item, "name");
        if (known != NULL && PyUnicode_Compare(known, name) == 0) {
            found = PyObject_GetAttr(functions, name);
        }
        Py_XDECREF(known);
        Py_XDECREF(item);
    }
    Py_XDECREF(actions);
    Py_XDECREF(name);
    if (found == NULL) {
        PyErr_Clear();
    }
    return found;
}

static dome_status_t send_result(dome_call_t *call, PyObject *result) {
    PyObject *text = PyObject_CallOneArg(json_dumps, result);
    Py_ssize_t size = 0;
    const char *data = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
    dome_status_t status = DOME_OK;
    if (data == NULL) {
        explain_exception(call);
        status = DOME_INTERNAL;
    } else if (!host->reply(call, data, (size_t)size)) {
        explain(call, DOME_TEXT("the host takes no reply"));
        status = DOME_UNAVAILABLE;
    }
    Py_XDECREF(text);
    return status;
}

/* The payload as Python has it; NULL with an exception if it is no object. */
static PyObject *read_payload(const char *payload, size_t size) {
    PyObject *text = PyUnicode_DecodeUTF8(payload, (Py_ssize_t)size, NULL);
    PyObject *value = text == NULL ? NULL : PyObject_CallOneArg(json_loads, text);
    Py_XDECREF(text);
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_SetString(PyExc_ValueError, "the payload is no object");
        Py_CLEAR(value);
    }
    return value;
}

dome_status_t bridge_call(dome_call_t *call, const char *action, size_t action_size, const char *payload,
                          size_t payload_size) {
    PyObject *function = find_function(action, action_size);
    if (function == NULL) {
        explain(call, DOME_TEXT("there is no such action"));
        return DOME_INVALID;
    }
    dome_status_t status = DOME_INVALID;
    PyObject *value = read_payload(payload, payload_size);
    PyObject *object = value == NULL ? NULL : call_object(call);
    PyObject *result = object == NULL ? NULL : PyObject_CallFunctionObjArgs(function, value, object, NULL);
    if (result != NULL && object != NULL && call_object_was_canceled(object)) {
        explain(call, DOME_TEXT("canceled"));
        status = DOME_CANCELED;
    } else if (result != NULL) {
        status = send_result(call, result);
    } else {
        bool is_refusal = PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_RecursionError);
        status = is_refusal ? DOME_INVALID : DOME_INTERNAL;
        explain_exception(call);
    }
    Py_XDECREF(result);
    if (object != NULL) {
        call_object_end(object);
    }
    Py_XDECREF(value);
    Py_DECREF(function);
    return status;
}

static const dome_descriptor_t *get_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(dome_descriptor_t),
        .id = DOME_TEXT_INIT("@ID@"),
        .version = DOME_TEXT_INIT("0.1.0"),
        .declaration = DOME_TEXT_INIT(DECLARATION),
    };
    return &descriptor;
}

static dome_status_t connect(dome_call_t *call, const char *config, size_t config_size, dome_adapter_t **adapter) {
    (void)config; /* nothing to configure */
    (void)config_size;
    if (!bridge_start(call)) {
        return DOME_UNAVAILABLE;
    }
    dome_adapter_t *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        explain(call, DOME_TEXT("out of memory"));
        return DOME_UNAVAILABLE;
    }
    *adapter = made;
    return DOME_OK;
}

static void disconnect(dome_adapter_t *adapter) {
    free(adapter);
}

static dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size) {
    adapter->calls++;
    return bridge_call(call, action, action_size, payload, payload_size);
}

static bool init(dome_host_t *self, const dome_host_api_t *api, const char *directory, size_t directory_size) {
    (void)directory;
    (void)directory_size;
    host = api;
    host_self = self;
    cancel = api->get_extension(self, DOME_TEXT(DOME_EXT_CANCEL));
    progress = api->get_extension(self, DOME_TEXT(DOME_EXT_PROGRESS));
    host_log = api->get_extension(self, DOME_TEXT(DOME_EXT_LOG));
    return true;
}

static void deinit(void) {
    bridge_stop();
    host = NULL;
}

static const void *get_factory(const char *id, size_t id_size) {
    static const dome_adapter_api_t api = {
        .struct_size = sizeof(dome_adapter_api_t),
        .get_descriptor = get_descriptor,
        .connect = connect,
        .execute = execute,
        .disconnect = disconnect,
    };
    return dome_text_equal(id, id_size, DOME_TEXT(DOME_ADAPTER)) ? &api : NULL;
}

DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = {
    DOME_ENTRY_HEADER,
    init,
    deinit,
    get_factory,
};
