// The steps that call into an instance: made, called, asked aside, ended.
#include "internal.h"

#include "frame.h"
#include "guard.h"

#include <string.h>

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

// The table for jobs that the executor drives, or NULL: one that is too short is none.
static const dome_executor_drive_api_t *drive_table(void *instance, const void **raw) {
    const void *table = NULL;
    if (the.executor != NULL && the.executor->get_extension != NULL) {
        char *lent = guard_lend(DOME_TEXT(DOME_EXT_EXECUTOR_DRIVE), "the id (an argument of get_extension)");
        if (lent == NULL) return NULL;
        TIMED(table = the.executor->get_extension(instance, lent, sizeof(DOME_EXT_EXECUTOR_DRIVE) - 1));
        guard_end(lent);
    }
    if (raw != NULL) *raw = table;
    size_t size = 0;
    if (table != NULL && (uintptr_t)table % sizeof(void *) == 0) memcpy(&size, table, sizeof(size));
    return size >= sizeof(dome_executor_drive_api_t) ? table : NULL;
}

// 'W': the table for driven jobs. Fields: instance. Answer: its address, its struct_size, its functions.
bool step_drive_table(const struct frame *frame) {
    void *instance = the.instances[frame_number(frame, 0) % INSTANCE_LIMIT];
    if (instance == NULL || the.executor == NULL) return cannot("there is no executor");
    const void *raw = NULL;
    const dome_executor_drive_api_t *table = drive_table(instance, &raw);
    size_t size = 0;
    if (raw != NULL && (uintptr_t)raw % sizeof(void *) == 0) memcpy(&size, raw, sizeof(size));
    answer_begin('W');
    answer_number((uintptr_t)raw);
    answer_number(size);
    char present[7] = "";
    if (table != NULL) {
        present[0] = table->start != NULL ? 'y' : 'n';
        present[1] = table->poll != NULL ? 'y' : 'n';
        present[2] = table->cancel != NULL ? 'y' : 'n';
        present[3] = table->recover != NULL ? 'y' : 'n';
        present[4] = table->list_artifacts != NULL ? 'y' : 'n';
        present[5] = table->read_artifact != NULL ? 'y' : 'n';
    }
    answer_text(present);
    return true;
}

// 'V': a call about a driven job. Fields: instance, which (1 start, 2 poll, 3 cancel, 4 cancel by force, 5 recover,
// 6 list_artifacts, 7 read_artifact), the job or its handle, the cursor or the artifact's name, offset, size.
bool step_drive(const struct frame *frame) {
    void *instance = the.instances[frame_number(frame, 0) % INSTANCE_LIMIT];
    if (instance == NULL) return cannot("there is no instance");
    const dome_executor_drive_api_t *table = drive_table(instance, NULL);
    uint64_t which = frame_number(frame, 1);
    bool is_whole = table != NULL && table->start != NULL && table->poll != NULL && table->cancel != NULL &&
                    table->recover != NULL;
    if (!is_whole) return cannot("it drives no jobs");
    if (which >= 6 && (table->list_artifacts == NULL || table->read_artifact == NULL)) {
        return cannot("its jobs leave nothing");
    }
    struct field first = frame_field(frame, 2), cursor = frame_field(frame, 3);
    char *lent = guard_lend(first.data, first.size, which == 1 ? "the job (an argument of start)" : "the handle");
    const char *second = which == 7 ? "the name (an argument of read_artifact)" : "the cursor (an argument of poll)";
    char *lent_cursor = guard_lend(cursor.data, cursor.size, second);
    dome_call_t *call = host_call_begin();
    if (lent == NULL || lent_cursor == NULL || call == NULL) return cannot("no memory");
    dome_status_t status = DOME_INTERNAL;
    switch (which) {
    case 1: TIMED(status = table->start(instance, call, lent, first.size)); break;
    case 2: TIMED(status = table->poll(instance, call, lent, first.size, lent_cursor, cursor.size)); break;
    case 3:
    case 4: TIMED(status = table->cancel(instance, call, lent, first.size, which == 4)); break;
    case 6: TIMED(status = table->list_artifacts(instance, call, lent, first.size)); break;
    case 7:
        TIMED(status = table->read_artifact(instance, call, lent, first.size, lent_cursor, cursor.size,
                                            frame_number(frame, 4), (size_t)frame_number(frame, 5)));
        break;
    default: TIMED(status = table->recover(instance, call, lent, first.size));
    }
    the.record = host_call_end();
    guard_end(lent_cursor);
    guard_end(lent);
    answer_call('V', status, 0);
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
