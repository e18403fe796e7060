/*
 * rules.h: what the user's configuration allows. Without one nothing is.
 */
#ifndef HTTP_RULES_H
#define HTTP_RULES_H

#include "address.h"
#include "json.h"
#include "place.h"

enum { RULE_LIMIT = 256, SECRET_LIMIT = 16, ANY_PORT = -1, USUAL_PORT = 0 };

/* "example.org", "*.example.org" (what is below it), "*"; ":8443" or ":*" behind it. */
typedef struct host_rule {
    char host[HOST_LIMIT]; /* what the host is, or ends with; empty: any */
    bool is_suffix;
    long port; /* ANY_PORT, USUAL_PORT (443 for https, 80 for http), or a number */
} host_rule_t;

typedef struct host_rules {
    host_rule_t *list;
    size_t count;
} host_rules_t;

/* Which hosts may be told a secret. */
typedef struct secret_rule {
    char name[65];
    host_rules_t hosts;
} secret_rule_t;

/* OWNERSHIP: all of it is the plugin's; end it with rules_free. Start from zeroes. */
typedef struct rules {
    host_rules_t hosts;
    address_range_t ranges[RULE_LIMIT]; /* addresses that are not public and allowed all the same */
    size_t range_count;
    secret_rule_t secrets[SECRET_LIMIT];
    size_t secret_count;
    char *certificates; /* PEM; NULL: those of the machine */
    size_t certificates_size;
    long max_bytes;   /* 0: no bound of the user's */
    long max_seconds; /* the same */
} rules_t;

/* Reads the configuration. False: `why` says which member will not do. */
bool rules_read(rules_t *rules, const char *config, size_t size, char *why, size_t why_size);

/* Whether the place is one of the hosts. */
bool rules_allow_host(const rules_t *rules, const place_t *place);

/* Whether a connection to the address may be made. */
bool rules_allow_address(const rules_t *rules, const address_t *address);

/* Whether the secret may be told to the place. */
bool rules_allow_secret(const rules_t *rules, const char *name, const place_t *place);

void rules_free(rules_t *rules);

#endif
