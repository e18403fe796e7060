/*
 * arguments.c: the command of a plan, fixed by the manifest or brought by the caller.
 */
#include <string.h>

#include "plan.h"

/* Parts in a group; a manifest that needs more is better served by a script. */
#define GROUP_LIMIT 16

typedef struct group {
    json_t parts[GROUP_LIMIT]; /* as the manifest spells them */
    size_t count;
    size_t index; /* of the element in entrypoint.argv, for messages */
} group_t;

static const char placeholder_start[] = "${task.";

/* Whether `part` mentions the task at all. */
static bool mentions_task(json_t part) {
    size_t size = sizeof(placeholder_start) - 1;
    for (const char *at = part.at; (size_t)(part.end - at) >= size; at++) {
        if (memcmp(at, placeholder_start, size) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether `part` is a placeholder as a whole; `*name` is then the member it stands for. */
static bool is_placeholder(json_t part, json_name_t *name) {
    size_t before = sizeof(placeholder_start); /* with the opening quote */
    if ((size_t)(part.end - part.at) <= before + 2 ||
        memcmp(part.at + 1, placeholder_start, before - 1) != 0 || part.end[-2] != '}') {
        return false;
    }
    name->text = part.at + before;
    name->size = (size_t)(part.end - 2 - name->text);
    for (size_t i = 0; i < name->size; i++) {
        char c = name->text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

/* Appends one argument. `where` names it in a refusal. */
static dome_status_t add_argument(plan_t *plan, json_t value, const char *where, size_t index, bool *first) {
    switch (json_kind(value)) {
    case JSON_STRING:
        if (json_has_nul(value)) {
            return plan_refuse(plan, "%s[%zu] holds a NUL character, which no argument can carry", where, index);
        }
        text_comma(plan->out, first);
        text_json(plan->out, value);
        return DOME_OK;
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
        text_comma(plan->out, first);
        text_literal(plan->out, "\"");
        text_json(plan->out, value);
        text_literal(plan->out, "\"");
        return DOME_OK;
    default:
        return plan_refuse(plan, "%s[%zu] stands for a value that is no text, number or boolean", where, index);
    }
}

/* Appends the group once, with `item` where `values` has nothing. */
static dome_status_t add_parts(plan_t *plan, const group_t *group, const json_t *values, json_t item, bool *first) {
    for (size_t i = 0; i < group->count; i++) {
        json_t value = values[i].at != NULL ? values[i] : item;
        dome_status_t status = add_argument(plan, value, "entrypoint.argv", group->index, first);
        if (status != DOME_OK) {
            return status;
        }
    }
    return DOME_OK;
}

/* The value of one part: itself, or the task's member. A list is left absent in `*value` and put into `*list`;
 * `*dropped` is set when the member is not there. */
static dome_status_t resolve(plan_t *plan, const group_t *group, json_t part, json_t *value, json_t *list,
                             bool *dropped) {
    json_name_t name;
    *value = part;
    if (json_kind(part) != JSON_STRING) {
        return plan_refuse(plan, "entrypoint.argv[%zu] must be text, or a list of texts", group->index);
    }
    if (!mentions_task(part)) {
        return DOME_OK;
    }
    if (!is_placeholder(part, &name)) {
        return plan_refuse(plan, "entrypoint.argv[%zu]: ${task.NAME} must be the whole element, of A-Z a-z 0-9 _ -",
                           group->index);
    }
    if (!json_members(plan->task, &name, value, 1)) {
        return plan_refuse(plan, "the task has a member twice that entrypoint.argv[%zu] stands for", group->index);
    }
    json_kind_t kind = json_kind(*value);
    if (kind == JSON_ABSENT || kind == JSON_NULL) {
        *dropped = true;
    } else if (kind == JSON_ARRAY) {
        if (list->at != NULL) {
            return plan_refuse(plan, "entrypoint.argv[%zu]: only one list can repeat a group", group->index);
        }
        *list = *value;
        *value = (json_t){ NULL, NULL };
    }
    return DOME_OK;
}

static dome_status_t add_group(plan_t *plan, const group_t *group, bool *first) {
    json_t values[GROUP_LIMIT], list = { NULL, NULL }, name, item;
    bool dropped = false;
    for (size_t i = 0; i < group->count; i++) {
        dome_status_t status = resolve(plan, group, group->parts[i], &values[i], &list, &dropped);
        if (status != DOME_OK) {
            return status;
        }
    }
    if (dropped) {
        return DOME_OK;
    }
    if (list.at == NULL) {
        return add_parts(plan, group, values, list, first);
    }
    json_walk_t walk = json_walk(list);
    while (json_next(&walk, &name, &item)) {
        dome_status_t status = add_parts(plan, group, values, item, first);
        if (status != DOME_OK) {
            return status;
        }
    }
    return DOME_OK;
}

static dome_status_t fixed_command(plan_t *plan, json_t argv) {
    json_walk_t walk = json_walk(argv);
    json_t name, element;
    bool first = true;
    text_literal(plan->out, "\"argv\":[");
    for (size_t index = 0; json_next(&walk, &name, &element); index++) {
        group_t group = { .index = index };
        if (json_kind(element) == JSON_ARRAY) {
            json_walk_t parts = json_walk(element);
            json_t part;
            while (json_next(&parts, &name, &part)) {
                if (group.count == GROUP_LIMIT) {
                    return plan_refuse(plan, "entrypoint.argv[%zu] has more than %d parts", index, GROUP_LIMIT);
                }
                group.parts[group.count++] = part;
            }
        } else {
            group.parts[group.count++] = element;
        }
        if (index == 0 && (json_kind(element) != JSON_STRING || mentions_task(element))) {
            return plan_refuse(plan, "entrypoint.argv[0] must be a fixed text: the task cannot choose the program");
        }
        dome_status_t status = add_group(plan, &group, &first);
        if (status != DOME_OK) {
            return status;
        }
    }
    text_literal(plan->out, "]");
    return first ? plan_refuse(plan, "entrypoint.argv must be a list with at least the program") : DOME_OK;
}

static dome_status_t brought_command(plan_t *plan, json_t argv) {
    json_walk_t walk = json_walk(argv);
    json_t name, element;
    bool first = true;
    text_literal(plan->out, "\"argv\":[");
    for (size_t index = 0; json_next(&walk, &name, &element); index++) {
        if (json_kind(element) != JSON_STRING) {
            return plan_refuse(plan, "task.argv[%zu] must be text", index);
        }
        dome_status_t status = add_argument(plan, element, "task.argv", index, &first);
        if (status != DOME_OK) {
            return status;
        }
    }
    text_literal(plan->out, "]");
    return first ? plan_refuse(plan, "task.argv must be a list with at least the program") : DOME_OK;
}

static dome_status_t brought_script(plan_t *plan, json_t script) {
    if (json_kind(script) != JSON_STRING || json_has_nul(script)) {
        return plan_refuse(plan, "task.script must be text without NUL characters");
    }
    text_literal(plan->out, "\"argv\":[\"/bin/sh\",");
    text_add(plan->out, plan->work_directory.at, (size_t)(plan->work_directory.end - plan->work_directory.at) - 1);
    text_literal(plan->out, "/script\"],\"files\":[{\"path\":\"script\",\"mode\":448,\"text\":");
    text_json(plan->out, script);
    text_literal(plan->out, "}]");
    return DOME_OK;
}

dome_status_t plan_arguments(plan_t *plan) {
    static const json_name_t entrypoint_names[] = { NAME("argv"), NAME("argv_from_task") };
    static const json_name_t task_names[] = { NAME("argv"), NAME("script") };
    json_t fixed[2], brought[2];
    if (!json_members(plan->entrypoint, entrypoint_names, fixed, 2)) {
        return plan_refuse(plan, "entrypoint has a member twice");
    }
    bool from_task = json_kind(fixed[1]) == JSON_TRUE;
    if (from_task == (fixed[0].at != NULL)) {
        return plan_refuse(plan, "entrypoint must have either \"argv\" or \"argv_from_task\": true");
    }
    if (!from_task) {
        return fixed_command(plan, fixed[0]);
    }
    if (!json_members(plan->task, task_names, brought, 2)) {
        return plan_refuse(plan, "the task has a member twice");
    }
    if ((brought[0].at != NULL) == (brought[1].at != NULL)) {
        return plan_refuse(plan, "the task must have either \"argv\" or \"script\"");
    }
    return brought[0].at != NULL ? brought_command(plan, brought[0]) : brought_script(plan, brought[1]);
}
