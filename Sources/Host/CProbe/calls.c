// The steps that call into an instance: made, called, asked aside, ended.
#include "internal.h"

#include "frame.h"
#include "guard.h"

// The answer to a call: status, what was replied and explained, and what happened meanwhile.
static void answer_call(char letter, dome_status_t status, uint64_t extra) {
    answer_begin(letter);
    answer_number((uint64_t)(int64_t)status);
    answer_bytes(the.record.reply, the.record.reply_size);
    answer_bytes(the.record.explanation, the.record.explanation_size);
    answer_number(extra);
    uint64_t counts[6] = { (uint64_t)the.took_us,         the.record.cancel_asked,
                           the.record.progress_reports,   the.record.artifacts_kept,
                           the.record.log_lines,          (uint64_t)the.record.canceled_for_us };
    answer_bytes(counts, sizeof(counts));
}

// 'C': connect or create, with a configuration, into a numbered place. Extra: whether an instance was made.
bool step_create(const struct frame *frame) {
    size_t index = (size_t)frame_number(frame, 1) % INSTANCE_LIMIT;
    if (!the.is_loaded || (the.adapter == NULL && the.executor == NULL)) return cannot("the plugin is not loaded");
    struct field given = frame_field(frame, 0);
    char *config = guard_lend(given.data, given.size, "the configuration (an argument of create or connect)");
    dome_call_t *call = host_call_begin();
    if (config == NULL || call == NULL) return cannot("no memory");
    dome_status_t status = DOME_INTERNAL;
    void *made = NULL;
    if (the.adapter != NULL) {
        TIMED(status = the.adapter->connect(call, config, given.size, (dome_adapter_t **)&made));
    } else {
        TIMED(status = the.executor->create(call, config, given.size, (dome_executor_t **)&made));
    }
    the.record = host_call_end();
    guard_end(config);
    the.instances[index] = status == DOME_OK ? made : NULL;
    answer_call('C', status, made != NULL);
    return true;
}

// 'X': execute or prepare. Fields: instance, action, payload.
bool step_call(const struct frame *frame) {
    void *instance = the.instances[frame_number(frame, 0) % INSTANCE_LIMIT];
    if (instance == NULL) return cannot("there is no instance");
    if (the.adapter == NULL && the.executor->prepare == NULL) return cannot("there is no prepare");
    struct field action = frame_field(frame, 1), payload = frame_field(frame, 2);
    char *lent_action = guard_lend(action.data, action.size, "the action (an argument of execute)");
    char *lent = guard_lend(payload.data, payload.size, the.adapter != NULL ? "the payload (an argument of execute)"
                                                                           : "the job (an argument of prepare)");
    dome_call_t *call = host_call_begin();
    if (lent_action == NULL || lent == NULL || call == NULL) return cannot("no memory");
    dome_status_t status = DOME_INTERNAL;
    if (the.adapter != NULL) {
        TIMED(status = the.adapter->execute(instance, call, lent_action, action.size, lent, payload.size));
    } else {
        TIMED(status = the.executor->prepare(instance, call, lent, payload.size));
    }
    the.record = host_call_end();
    guard_end(lent);
    guard_end(lent_action);
    answer_call('X', status, 0);
    return true;
}

// 'H': health. 'A': audit with an event. Fields: instance, event.
bool step_aside(const struct frame *frame) {
    void *instance = the.instances[frame_number(frame, 0) % INSTANCE_LIMIT];
    if (instance == NULL || the.adapter == NULL) return cannot("there is no connection");
    bool is_health = frame->letter == 'H';
    if (is_health ? the.adapter->health == NULL : the.adapter->audit == NULL) return cannot("it has no such function");
    struct field event = frame_field(frame, 1);
    char *lent = guard_lend(event.data, event.size, "the event (an argument of audit)");
    dome_call_t *call = is_health ? host_call_begin() : NULL;
    if (lent == NULL) return cannot("no memory");
    dome_status_t status = DOME_OK;
    if (is_health) {
        TIMED(status = the.adapter->health(instance, call));
        the.record = host_call_end();
    } else {
        the.record = (struct call_record){ .canceled_for_us = -1 };
        TIMED(the.adapter->audit(instance, lent, event.size));
    }
    guard_end(lent);
    answer_call(frame->letter, status, 0);
    return true;
}

// 'Y': get_extension of an instance. Fields: instance, id. Answer: the table's address.
bool step_extension(const struct frame *frame) {
    void *instance = the.instances[frame_number(frame, 0) % INSTANCE_LIMIT];
    if (instance == NULL) return cannot("there is no instance");
    struct field id = frame_field(frame, 1);
    char *lent = guard_lend(id.data, id.size, "the id (an argument of get_extension)");
    if (lent == NULL) return cannot("no memory");
    const void *table = NULL;
    if (the.adapter != NULL ? the.adapter->get_extension == NULL : the.executor->get_extension == NULL) {
        guard_end(lent);
        return cannot("it has no get_extension");
    }
    if (the.adapter != NULL) {
        TIMED(table = the.adapter->get_extension(instance, lent, id.size));
    } else {
        TIMED(table = the.executor->get_extension(instance, lent, id.size));
    }
    guard_end(lent);
    answer_begin('Y');
    answer_number((uintptr_t)table);
    return true;
}

// 'K': disconnect or destroy.
bool step_destroy(const struct frame *frame) {
    size_t index = (size_t)frame_number(frame, 0) % INSTANCE_LIMIT;
    void *instance = the.instances[index];
    if (instance == NULL) return cannot("there is no instance");
    the.instances[index] = NULL;
    if (the.adapter != NULL) {
        TIMED(the.adapter->disconnect(instance));
    } else {
        TIMED(the.executor->destroy(instance));
    }
    answer_begin('K');
    return true;
}

// 'Z': deinit; then the host is gone.
bool step_deinit(void) {
    if (!the.is_loaded || the.entry->deinit == NULL) return cannot("the plugin is not loaded");
    the.is_loaded = false;
    TIMED(the.entry->deinit());
    host_close();
    answer_begin('Z');
    return true;
}
