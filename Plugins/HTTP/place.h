/*
 * place.h: a URL taken apart, by the very parser that will fetch it: two parsers could disagree about the host.
 */
#ifndef HTTP_PLACE_H
#define HTTP_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

enum { HOST_LIMIT = 256, URL_LIMIT = 8192 };

/* Where a request goes. OWNERSHIP: `url` is the place's; end it with place_free. Start from zeroes. */
typedef struct place {
    CURLU *url;
    char host[HOST_LIMIT]; /* lower case, without the root's dot; an IPv6 address in brackets */
    long port;
    bool is_https;
    bool has_usual_port; /* 443 for https, 80 for http */
} place_t;

/* Takes `url`, which must be absolute. NULL, or what is wrong with it. */
const char *place_parse(place_t *place, const char *url);

/* Goes on to where a redirect points, which may be relative. NULL, or what is wrong with it. */
const char *place_follow(place_t *place, const char *location);

/* Whether both have scheme, host and port in common. */
bool place_is_same_origin(const place_t *one, const place_t *other);

/* The whole URL, without its fragment; NULL if there is no memory. End it with curl_free. */
char *place_text(const place_t *place);

void place_free(place_t *place);

#endif
