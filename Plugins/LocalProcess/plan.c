/*
 * plan.c: everything of a plan but its command.
 */
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

dome_status_t plan_refuse(plan_t *plan, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(plan->why, sizeof(plan->why), format, arguments);
    va_end(arguments);
    return DOME_INVALID;
}

/* Reads the job's members and refuses those of a wrong type. */
static dome_status_t read_job(plan_t *plan, const char *data, size_t size) {
    static const json_name_t names[] = {
        NAME("task"), NAME("entrypoint"), NAME("manifest"), NAME("work_directory"), NAME("grants"), NAME("environment"),
    };
    static const json_kind_t kinds[] = {
        JSON_OBJECT, JSON_OBJECT, JSON_OBJECT, JSON_STRING, JSON_ARRAY, JSON_OBJECT,
    };
    enum { COUNT = sizeof(names) / sizeof(names[0]), REQUIRED = 2 };
    json_t job, values[COUNT];
    if (!json_parse(data, size, &job) || json_kind(job) != JSON_OBJECT) {
        return plan_refuse(plan, "the job is not a JSON object");
    }
    if (!json_members(job, names, values, COUNT)) {
        return plan_refuse(plan, "the job has a member twice");
    }
    for (size_t i = 0; i < COUNT; i++) {
        json_kind_t kind = json_kind(values[i]);
        if (kind != kinds[i] && (kind != JSON_ABSENT || i < REQUIRED)) {
            return plan_refuse(plan, "the job's member \"%s\" is missing or of a wrong type", names[i].text);
        }
    }
    static const char default_directory[] = "\"/job\"";
    if (values[3].at == NULL) {
        values[3] = (json_t){ default_directory, default_directory + sizeof(default_directory) - 1 };
    }
    plan->task = values[0];
    plan->entrypoint = values[1];
    plan->manifest = values[2];
    plan->work_directory = values[3];
    plan->grants = values[4];
    plan->environment = values[5];
    return json_has_nul(plan->work_directory) ? plan_refuse(plan, "work_directory holds a NUL character") : DOME_OK;
}

/* A misspelt member would silently change how the tool runs. */
static dome_status_t check_entrypoint(plan_t *plan) {
    static const json_name_t known[] = {
        NAME("argv"), NAME("argv_from_task"), NAME("cwd"),
    };
    json_walk_t walk = json_walk(plan->entrypoint);
    json_t name, value;
    for (size_t index = 1; json_next(&walk, &name, &value); index++) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            is_known = is_known || json_is(name, known[i].text, known[i].size);
        }
        if (!is_known) {
            return plan_refuse(plan, "entrypoint's member number %zu is unknown; known are argv, argv_from_task, cwd",
                               index);
        }
    }
    return DOME_OK;
}

/* The caller's own stdin text wins, where the caller brings the command; else what the manifest says. */
static dome_status_t add_input(plan_t *plan, json_t from_task, json_t wanted) {
    json_kind_t kind = json_kind(from_task);
    if (kind != JSON_ABSENT && kind != JSON_NULL) {
        if (kind != JSON_STRING) {
            return plan_refuse(plan, "task.stdin must be text");
        }
        text_literal(plan->out, ",\"stdin\":{\"text\":");
        text_json(plan->out, from_task);
        text_literal(plan->out, "}");
        return DOME_OK;
    }
    if (json_is(wanted, "task", 4)) {
        text_literal(plan->out, ",\"stdin\":\"task\"");
    } else if (wanted.at == NULL || json_is(wanted, "none", 4)) {
        text_literal(plan->out, ",\"stdin\":\"none\"");
    } else {
        return plan_refuse(plan, "the manifest's \"stdin\" must be \"none\" or \"task\"");
    }
    return DOME_OK;
}

/* Asks for what was granted: paths to see, and the network. */
static void add_grants(plan_t *plan) {
    static const struct {
        json_name_t prefix;
        const char *mode;
    } forms[] = { { NAME("\"fs.read:"), "read" }, { NAME("\"fs.write:"), "write" } };
    const char *network = "none";
    bool first = true;
    json_walk_t walk = json_walk(plan->grants);
    json_t name, grant;
    text_literal(plan->out, ",\"mounts\":[");
    while (json_next(&walk, &name, &grant)) {
        size_t size = (size_t)(grant.end - grant.at);
        for (size_t i = 0; i < 2; i++) {
            if (size > forms[i].prefix.size + 1 && memcmp(grant.at, forms[i].prefix.text, forms[i].prefix.size) == 0) {
                text_comma(plan->out, &first);
                text_literal(plan->out, "{\"path\":\"");
                text_add(plan->out, grant.at + forms[i].prefix.size, size - forms[i].prefix.size);
                text_literal(plan->out, ",\"mode\":\"");
                text_add(plan->out, forms[i].mode, strlen(forms[i].mode));
                text_literal(plan->out, "\"}");
            }
        }
        if (json_is(grant, "net.full", 8)) {
            network = "full";
        } else if (json_is(grant, "net.loopback", 12) && strcmp(network, "none") == 0) {
            network = "loopback";
        }
    }
    text_literal(plan->out, "],\"network\":\"");
    text_add(plan->out, network, strlen(network));
    text_literal(plan->out, "\"");
}

static dome_status_t add_conditions(plan_t *plan) {
    static const json_name_t entrypoint_names[] = { NAME("cwd"), NAME("argv_from_task") };
    static const json_name_t manifest_names[] = { NAME("stdin"), NAME("tty") };
    static const json_name_t task_name = NAME("stdin");
    json_t own[2], general[2], brought = { NULL, NULL };
    if (!json_members(plan->entrypoint, entrypoint_names, own, 2) ||
        !json_members(plan->manifest, manifest_names, general, 2)) {
        return plan_refuse(plan, "entrypoint or manifest has a member twice");
    }
    if (json_kind(own[1]) == JSON_TRUE && !json_members(plan->task, &task_name, &brought, 1)) {
        return plan_refuse(plan, "the task has the member \"stdin\" twice");
    }
    json_t directory = own[0].at != NULL ? own[0] : plan->work_directory;
    json_kind_t tty_kind = json_kind(general[1]);
    if (tty_kind != JSON_ABSENT && tty_kind != JSON_TRUE && tty_kind != JSON_FALSE) {
        return plan_refuse(plan, "the manifest's \"tty\" must be true or false");
    }
    if (json_kind(directory) != JSON_STRING || json_has_nul(directory)) {
        return plan_refuse(plan, "entrypoint.cwd must be text without NUL characters");
    }
    dome_status_t status = add_input(plan, brought, general[0]);
    if (plan->environment.at != NULL) {
        text_literal(plan->out, ",\"environment\":");
        text_json(plan->out, plan->environment);
    }
    text_literal(plan->out, ",\"cwd\":");
    text_json(plan->out, directory);
    if (tty_kind == JSON_TRUE) {
        text_literal(plan->out, ",\"tty\":true");
    }
    return status;
}

dome_status_t plan_make(plan_t *plan, const char *data, size_t size) {
    plan->why[0] = '\0';
    plan->out->size = 0;
    plan->out->failed = false;
    text_literal(plan->out, "{");
    dome_status_t status = read_job(plan, data, size);
    if (status == DOME_OK) {
        status = check_entrypoint(plan);
    }
    if (status == DOME_OK) {
        status = plan_arguments(plan);
    }
    if (status == DOME_OK) {
        status = add_conditions(plan);
    }
    if (status == DOME_OK) {
        add_grants(plan);
        text_literal(plan->out, "}");
    }
    return status == DOME_OK && plan->out->failed ? DOME_UNAVAILABLE : status;
}
