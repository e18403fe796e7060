/*
 * bad.h: which rule the plugin breaks. -DWHICH=<name> chooses; `good` breaks none.
 */
#ifndef BAD_H
#define BAD_H

#include <dome/dome.h>

enum which {
    good,
    /* The library and its entry. */
    no_entry, more_exports, text_relocations, filled_at_run_time, dies_in_constructor, wrong_magic, newer_major,
    short_entry, no_factory_function,
    /* init and get_factory. */
    init_false, init_slow, init_opens, init_crashes, init_exits, init_hangs, needs_extensions, needs_this_host,
    knows_no_kind, knows_every_kind, fresh_tables, short_table, no_connect,
    /* The descriptor. */
    no_descriptor, not_utf8, other_id, changes_its_mind, huge_declaration, list_declared, bad_config_schema,
    no_actions, no_input_schema, odd_members, odd_limits,
    /* Connections. */
    ok_without_instance, crashes_on_config, refuses_yet_makes, one_at_a_time, five_times, every_extension,
    /* Calls. */
    refuses_good, ok_without_reply, reply_no_json, reply_no_fit, any_action, no_explanation, ignores_reply,
    odd_health, dies_of_audit, finishes_broken_artifact, dies_of_text, dies_of_list, recurses, small_buffer,
    dies_of_percent, odd_status, ignores_cancel, cancels_itself, never_asks, throws_up,
    /* Ownership. */
    reads_past, writes_to_payload, keeps_payload, looks_into_call, exits, hangs, overruns, frees_twice,
    writes_after_free, frees_payload, leaks_per_call, leaks_per_connection, replies_from_thread, replies_late,
    logs_no_utf8,
    /* What is left. */
    leaves_descriptor, leaves_thread, leaves_process, takes_signal, changes_folder, prints, logs_after_deinit,
    /* Executors. */
    empty_argv, two_plans,
};

#ifndef WHICH
#define WHICH good
#endif

#define IS(name) (WHICH == name)

/* Of bad_calls.c. */
struct dome_adapter {
    char *block;
};

extern const dome_host_api_t *host;
extern dome_host_t *host_self;
extern const dome_log_api_t *host_log;
extern const dome_cancel_api_t *host_cancel;
extern const dome_artifact_api_t *host_artifact;
extern int calls_so_far;

dome_status_t bad_connect(dome_call_t *call, const char *config, size_t size, dome_adapter_t **adapter);
dome_status_t bad_execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                          const char *payload, size_t size);
dome_status_t bad_health(dome_adapter_t *adapter, dome_call_t *call);
void bad_audit(dome_adapter_t *adapter, const char *event, size_t size);
void bad_disconnect(dome_adapter_t *adapter);
const void *bad_extension(dome_adapter_t *adapter, const char *id, size_t size);
void bad_deinit(void);

#endif
