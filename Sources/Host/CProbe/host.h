// The host that a plugin under test sees: every function is there, checks its thread and its state by the tags of the
// headers, and writes down what was done against them.
#ifndef DOME_PROBE_HOST_H
#define DOME_PROBE_HOST_H

#include <dome/dome.h>

#include <stddef.h>

// How the host behaves; set before a step.
struct habits {
    bool has_no_extensions; // get_extension answers NULL
    bool is_newer;          // tables with members at their end that the plugin does not know
    bool refuses_replies;   // reply says false
    bool has_no_room;       // an artifact's write says -1
    bool takes_little;      // an artifact's write takes a byte at a time
    int64_t cancel_after_ms; // is_canceled says true from then on; -1: never
};

struct call_record {
    const char *reply;
    size_t reply_size;
    const char *explanation;
    size_t explanation_size;
    uint64_t cancel_asked;     // how often is_canceled was called
    uint64_t progress_reports;
    uint64_t artifacts_kept;
    uint64_t log_lines;
    int64_t canceled_for_us;   // how long the plugin went on after is_canceled had said true; -1 if it never did
};

extern struct habits habits;

// Makes the tables and binds the ABI's main thread to this one.
bool host_open(const char *config, size_t config_size);
dome_host_t *host_handle(void);
const dome_host_api_t *host_api(void);

// What the plugin may call now.
void host_loaded(bool is_in_init, bool is_loaded);

// Takes the tables away: from now on whoever uses them dies.
void host_close(void);

// A call of the plugin begins, with a handle of its own; NULL when memory is short. It ends with its record, which
// stays until the next begins.
dome_call_t *host_call_begin(void);
struct call_record host_call_end(void);

// What was done against the rules so far, one a line.
const char *host_misuses(void);
void host_misuse(const char *what);
// Each of these is true if all is well, and writes down what is not.
bool host_is_main(const char *function);
bool host_is_loaded(const char *function);
bool host_is_in_call(const char *function);
bool host_is_this_call(const dome_call_t *call, const char *function);
bool host_is_text(const char *function, const char *what, const char *data, size_t size, size_t limit, bool is_utf8);

// Of extensions.c.
const void *extension_find(const char *id, size_t id_size);
void extensions_open(const char *config, size_t config_size);
void extensions_end_call(void);
void extensions_close(void);
bool call_is_canceled(void);
extern struct call_record current_record;

#endif
