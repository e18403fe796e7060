#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

typedef struct complaint {
    char *why;
    size_t size;
} complaint_t;

static bool fail(complaint_t complaint, const char *member, const char *value, const char *what) {
    snprintf(complaint.why, complaint.size, "configuration: \"%s\": '%.100s' %s", member, value, what);
    return false;
}

/* The host and port that are left when the wildcards are taken away. */
static bool read_plain_host(host_rule_t *rule, const char *text) {
    char url[HOST_LIMIT + 32];
    place_t place = { .url = NULL };
    if (strpbrk(text, "/@?#*\\ ") != NULL ||
        snprintf(url, sizeof url, "https://%s/", text) >= (int)sizeof url) {
        return false;
    }
    bool is_good = place_parse(&place, url) == NULL;
    if (is_good) {
        memcpy(rule->host, place.host, sizeof rule->host);
        /* The parser does not tell "x" from "x:443", and the port of x depends on the scheme. */
        const char *colon = strrchr(text, ':');
        bool names_port = colon != NULL && strchr(colon, ']') == NULL;
        rule->port = rule->port == ANY_PORT ? ANY_PORT : names_port ? place.port : USUAL_PORT;
        is_good = !names_port || place.port > 0;
    }
    place_free(&place);
    return is_good;
}

static bool read_host(host_rule_t *rule, const char *given) {
    char text[HOST_LIMIT];
    size_t size = strlen(given);
    if (size == 0 || size >= sizeof text) {
        return false;
    }
    memcpy(text, given, size + 1);
    if (size > 2 && strcmp(text + size - 2, ":*") == 0) {
        text[size - 2] = 0;
        rule->port = ANY_PORT;
    }
    if (strcmp(text, "*") == 0) {
        return true;
    }
    if (text[0] == '*' && text[1] == ':' && rule->port != ANY_PORT) {
        char *end = NULL;
        rule->port = strtol(text + 2, &end, 10);
        return *end == 0 && rule->port > 0 && rule->port < 65536;
    }
    rule->is_suffix = strncmp(text, "*.", 2) == 0;
    return read_plain_host(rule, rule->is_suffix ? text + 2 : text);
}

/* Calls `each` with every text of a list. */
static bool read_texts(json_t list, const char *member, complaint_t complaint,
                       bool (*each)(void *context, const char *text, complaint_t complaint), void *context) {
    json_walk_t walk = json_walk(list);
    json_t name, value;
    if (json_kind(list) != JSON_ABSENT && json_kind(list) != JSON_ARRAY) {
        return fail(complaint, member, "", "is to be a list of texts");
    }
    while (json_next(&walk, &name, &value)) {
        text_t text = { .data = NULL };
        bool is_good = text_take(&text, value) ? each(context, text.data, complaint)
                                               : fail(complaint, member, "", "is to be a list of texts");
        text_free(&text);
        if (!is_good) {
            return false;
        }
    }
    return true;
}

static bool add_host(void *context, const char *text, complaint_t complaint) {
    host_rules_t *hosts = context;
    if (hosts->list == NULL) {
        hosts->list = calloc(RULE_LIMIT, sizeof *hosts->list);
    }
    if (hosts->list == NULL || hosts->count == RULE_LIMIT) {
        return fail(complaint, "hosts", text, "is one too many: there is room for 256");
    }
    return read_host(&hosts->list[hosts->count++], text) ||
           fail(complaint, "hosts", text, "is none of example.org, example.org:8443, *.example.org, *, 192.0.2.1");
}

static bool add_range(void *context, const char *text, complaint_t complaint) {
    rules_t *rules = context;
    if (rules->range_count == RULE_LIMIT) {
        return fail(complaint, "private_ranges", text, "is one too many: there is room for 256");
    }
    return address_range_parse(&rules->ranges[rules->range_count++], text) ||
           fail(complaint, "private_ranges", text, "is no range of addresses such as 192.168.0.0/16 or fd00::/8");
}

static bool read_secrets(rules_t *rules, json_t secrets, complaint_t complaint) {
    json_walk_t walk = json_walk(secrets);
    json_t name, hosts;
    if (json_kind(secrets) != JSON_ABSENT && json_kind(secrets) != JSON_OBJECT) {
        return fail(complaint, "secret_hosts", "", "is to be an object: {\"TOKEN\": [\"api.example.org\"]}");
    }
    while (json_next(&walk, &name, &hosts)) {
        text_t text = { .data = NULL };
        secret_rule_t *rule = &rules->secrets[rules->secret_count];
        bool fits = rules->secret_count < SECRET_LIMIT && text_take(&text, name) && text.size <= sizeof rule->name;
        if (fits) {
            memcpy(rule->name, text.data, text.size);
            rules->secret_count++;
        }
        text_free(&text);
        if (!fits) {
            return fail(complaint, "secret_hosts", "", "has more than 16 members, or one with a name that is too long");
        }
        if (!read_texts(hosts, "secret_hosts", complaint, add_host, &rule->hosts)) {
            return false;
        }
    }
    return true;
}

static bool read_bound(json_t value, const char *member, long *bound, complaint_t complaint) {
    int64_t number = 0;
    if (json_kind(value) == JSON_ABSENT) {
        return true;
    }
    if (!json_integer(value, &number) || number < 1 || number > INT32_MAX) {
        return fail(complaint, member, "", "is to be a whole number from 1");
    }
    *bound = (long)number;
    return true;
}

bool rules_read(rules_t *rules, const char *config, size_t size, char *why, size_t why_size) {
    enum { HOSTS, RANGES, SECRETS, CERTIFICATES, MAX_BYTES, MAX_SECONDS, COUNT };
    static const json_name_t names[COUNT] = {
        { "hosts", 5 }, { "private_ranges", 14 }, { "secret_hosts", 12 },
        { "ca_pem", 6 }, { "max_bytes", 9 },      { "timeout_seconds", 15 },
    };
    complaint_t complaint = { why, why_size };
    json_t root, values[COUNT];
    if (!json_parse(config, size, &root) || json_kind(root) != JSON_OBJECT ||
        !json_members(root, names, values, COUNT)) {
        snprintf(why, why_size, "the configuration is no object, or has a member twice");
        return false;
    }
    if (!read_texts(values[HOSTS], "hosts", complaint, add_host, &rules->hosts) ||
        !read_texts(values[RANGES], "private_ranges", complaint, add_range, rules) ||
        !read_secrets(rules, values[SECRETS], complaint) ||
        !read_bound(values[MAX_BYTES], "max_bytes", &rules->max_bytes, complaint) ||
        !read_bound(values[MAX_SECONDS], "timeout_seconds", &rules->max_seconds, complaint)) {
        return false;
    }
    if (json_kind(values[CERTIFICATES]) != JSON_ABSENT) {
        text_t text = { .data = NULL };
        if (!text_take(&text, values[CERTIFICATES])) {
            return fail(complaint, "ca_pem", "", "is to be the text of certificates in PEM");
        }
        rules->certificates = text.data;
        rules->certificates_size = text.size - 1;
    }
    return true;
}

static bool fits_rule(const host_rule_t *rule, const place_t *place) {
    if (rule->port != ANY_PORT && !(rule->port == USUAL_PORT ? place->has_usual_port : rule->port == place->port)) {
        return false;
    }
    size_t wanted = strlen(rule->host), given = strlen(place->host);
    if (wanted == 0) {
        return true;
    }
    if (!rule->is_suffix) {
        return strcmp(rule->host, place->host) == 0;
    }
    return given > wanted + 1 && place->host[given - wanted - 1] == '.' &&
           strcmp(place->host + given - wanted, rule->host) == 0;
}

static bool is_one_of(const host_rules_t *hosts, const place_t *place) {
    for (size_t i = 0; i < hosts->count; i++) {
        if (fits_rule(&hosts->list[i], place)) {
            return true;
        }
    }
    return false;
}

bool rules_allow_host(const rules_t *rules, const place_t *place) {
    return is_one_of(&rules->hosts, place);
}

bool rules_allow_address(const rules_t *rules, const address_t *address) {
    for (size_t i = 0; i < rules->range_count; i++) {
        if (address_range_has(&rules->ranges[i], address)) {
            return true;
        }
    }
    return address_is_public(address);
}

bool rules_allow_secret(const rules_t *rules, const char *name, const place_t *place) {
    for (size_t i = 0; i < rules->secret_count; i++) {
        if (strcmp(rules->secrets[i].name, name) == 0) {
            return is_one_of(&rules->secrets[i].hosts, place);
        }
    }
    return false;
}

void rules_free(rules_t *rules) {
    free(rules->hosts.list);
    for (size_t i = 0; i < rules->secret_count; i++) {
        free(rules->secrets[i].hosts.list);
    }
    free(rules->certificates);
    memset(rules, 0, sizeof *rules);
}
