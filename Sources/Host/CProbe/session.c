#include "session.h"

#include "census.h"
#include "crash.h"
#include "frame.h"
#include "guard.h"
#include "heap.h"
#include "host.h"
#include "internal.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct session the;

int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool cannot(const char *why) {
    answer_begin('N');
    answer_text(why);
    return false;
}

// 'O': maps the library. Fields: whether, and the loader's words.
static bool step_open(void) {
    void *handle = NULL;
    TIMED(handle = dlopen(the.library, RTLD_NOW | RTLD_LOCAL));
    const char *reason = handle == NULL ? dlerror() : NULL;
    if (handle != NULL) the.entry = dlsym(handle, DOME_ENTRY_SYMBOL);
    answer_begin('O');
    answer_number(handle != NULL);
    answer_text(reason != NULL ? reason : "");
    answer_number(the.entry != NULL);
    return true;
}

// 'E': the entry, member by member; a table that is shorter is not read past its end.
static bool step_entry(void) {
    if (the.entry == NULL) return cannot("there is no entry");
    answer_begin('E');
    answer_number(the.entry->magic);
    answer_number(the.entry->abi_major);
    answer_number(the.entry->abi_minor);
    bool is_whole = the.entry->magic == DOME_ENTRY_MAGIC && the.entry->struct_size >= sizeof(dome_entry_t);
    answer_number(the.entry->magic == DOME_ENTRY_MAGIC ? the.entry->struct_size : 0);
    answer_number(is_whole && the.entry->init != NULL);
    answer_number(is_whole && the.entry->deinit != NULL);
    answer_number(is_whole && the.entry->get_factory != NULL);
    return true;
}

// 'I': init, with a configuration for ext/config.h. Field: what it returned.
static bool step_init(const struct frame *frame) {
    if (the.entry == NULL || the.entry->init == NULL) return cannot("there is no init");
    struct field config = frame_field(frame, 0);
    if (!host_open(config.data, config.size)) return cannot("no memory");
    size_t size = strlen(the.directory);
    char *directory = guard_lend(the.directory, size, "the plugin's directory (an argument of init)");
    if (directory == NULL) return cannot("no memory");
    host_loaded(true, false);
    bool is_ready = false;
    TIMED(is_ready = the.entry->init(host_handle(), host_api(), directory, size));
    host_loaded(false, is_ready);
    guard_end(directory);
    the.is_loaded = is_ready;
    answer_begin('I');
    answer_number(is_ready);
    return true;
}

static const void *factory(const char *id, size_t size) {
    char *lent = guard_lend(id, size, "the id (an argument of get_factory)");
    if (lent == NULL) return NULL;
    const void *table = NULL;
    TIMED(table = the.entry->get_factory(lent, size));
    guard_end(lent);
    return table;
}

// 'F': get_factory. Fields: the table's address, its struct_size, and for each of its functions whether it is there.
static bool step_factory(const struct frame *frame) {
    if (!the.is_loaded || the.entry->get_factory == NULL) return cannot("the plugin is not loaded");
    struct field id = frame_field(frame, 0);
    const void *table = factory(id.data, id.size);
    size_t struct_size = 0, needed = 0;
    if (table != NULL && (uintptr_t)table % sizeof(void *) == 0) memcpy(&struct_size, table, sizeof(struct_size));
    if (dome_text_equal(id.data, id.size, DOME_TEXT(DOME_EXECUTOR))) needed = sizeof(dome_executor_api_t);
    if (dome_text_equal(id.data, id.size, DOME_TEXT(DOME_ADAPTER))) needed = sizeof(dome_adapter_api_t);
    char present[16] = "";
    if (needed > 0 && struct_size >= needed) {
        void *functions[16] = { NULL };
        memcpy(functions, (const char *)table + sizeof(size_t), needed - sizeof(size_t));
        for (size_t index = 0; index < needed / sizeof(void *) - 1; index++) {
            present[index] = functions[index] != NULL ? 'y' : 'n';
        }
        if (needed == sizeof(dome_executor_api_t)) the.executor = table;
        if (needed == sizeof(dome_adapter_api_t)) the.adapter = table;
    }
    answer_begin('F');
    answer_number((uintptr_t)table);
    answer_number(struct_size);
    answer_text(present);
    return true;
}

static const char *text_fault(dome_text_t text, size_t limit) {
    if (text.data == NULL && text.size != 0) return "is NULL with a size";
    return text.size > limit ? "is larger than the host accepts" : NULL;
}

// 'D': the descriptor. Fields: its address, its struct_size, what is wrong with its texts, and the three.
static bool step_descriptor(void) {
    const dome_descriptor_t *descriptor = NULL;
    if (the.adapter != NULL && the.adapter->get_descriptor != NULL) {
        TIMED(descriptor = the.adapter->get_descriptor());
    } else if (the.executor != NULL && the.executor->get_descriptor != NULL) {
        TIMED(descriptor = the.executor->get_descriptor());
    } else {
        return cannot("there is no get_descriptor");
    }
    size_t struct_size = 0;
    if (descriptor != NULL) memcpy(&struct_size, descriptor, sizeof(struct_size));
    answer_begin('D');
    answer_number((uintptr_t)descriptor);
    answer_number(struct_size);
    if (struct_size < sizeof(*descriptor)) return true;
    const struct {
        const char *name;
        dome_text_t text;
        size_t limit;
    } members[] = {
        { "id", descriptor->id, 256 },
        { "version", descriptor->version, 256 },
        { "declaration", descriptor->declaration, (size_t)16 << 20 },
    };
    char fault[128] = "";
    for (size_t index = 0; index < 3 && fault[0] == '\0'; index++) {
        const char *wrong = text_fault(members[index].text, members[index].limit);
        if (wrong == NULL) continue;
        strcpy(fault, members[index].name);
        strcat(fault, " ");
        strcat(fault, wrong);
    }
    answer_text(fault);
    for (size_t index = 0; index < 3 && fault[0] == '\0'; index++) {
        answer_bytes(members[index].text.data, members[index].text.size);
    }
    return true;
}

// 'S': what there is now. Fields: the census, live blocks, live bytes, what is wrong with the heap, and what was done
// against the rules.
static bool step_census(void) {
    answer_begin('S');
    answer_text(census_take());
    answer_number(heap_live_blocks());
    answer_number(heap_live_bytes());
    answer_text(heap_findings());
    answer_text(host_misuses());
    return true;
}

// 'B': how the host behaves from now on.
static bool step_habits(const struct frame *frame) {
    habits = (struct habits){
        .has_no_extensions = frame_number(frame, 0),
        .is_newer = frame_number(frame, 1),
        .refuses_replies = frame_number(frame, 2),
        .has_no_room = frame_number(frame, 3),
        .takes_little = frame_number(frame, 4),
        .cancel_after_ms = (int64_t)frame_number(frame, 5),
    };
    answer_begin('B');
    return true;
}

static bool step(const struct frame *frame) {
    the.took_us = 0;
    switch (frame->letter) {
    case 'O': return step_open();
    case 'E': return step_entry();
    case 'I': return step_init(frame);
    case 'F': return step_factory(frame);
    case 'D': return step_descriptor();
    case 'C': return step_create(frame);
    case 'X': return step_call(frame);
    case 'H':
    case 'A': return step_aside(frame);
    case 'Y': return step_extension(frame);
    case 'W': return step_drive_table(frame);
    case 'V': return step_drive(frame);
    case 'K': return step_destroy(frame);
    case 'Z': return step_deinit();
    case 'S': return step_census();
    case 'B': return step_habits(frame);
    default: return cannot("there is no such step");
    }
}

int session_run(const char *library, const char *directory, int channel) {
    the.library = library;
    the.directory = directory;
    the.channel = channel;
    crash_watch(channel);
    struct frame frame;
    while (frame_read(channel, &frame)) {
        // 'Q': an end by exit(3), with all that runs then.
        if (frame.letter == 'Q') return 0;
        step(&frame);
        answer_number((uint64_t)the.took_us);
        answer_send(channel);
    }
    _exit(4);
}
