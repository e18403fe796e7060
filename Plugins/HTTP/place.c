#include "place.h"

#include <stdlib.h>
#include <string.h>

static const char only_http[] = "only http:// and https:// are fetched";

/* Whether the URL has a part that no request may have. */
static bool has_part(CURLU *url, CURLUPart part) {
    char *text = NULL;
    bool is_there = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return is_there;
}

static const char *take_host(place_t *place) {
    char *host = NULL;
    if (curl_url_get(place->url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        return "it names no host";
    }
    size_t size = strlen(host);
    if (size > 0 && host[size - 1] == '.') {
        size--;
    }
    const char *wrong = size == 0 || size >= HOST_LIMIT ? "its host has no length that a host may have" : NULL;
    for (size_t i = 0; i < size && wrong == NULL; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c <= ' ' || c >= 0x7f || strchr("%\"\\<>^`{|}", c) != NULL) {
            wrong = "its host is not spelled in ASCII; an international name begins with xn--";
        }
        place->host[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        place->host[i + 1] = 0;
    }
    curl_free(host);
    return wrong;
}

static const char *take_parts(place_t *place) {
    char *scheme = NULL, *port = NULL;
    if (curl_url_get(place->url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
        return "it has no scheme: write https://";
    }
    place->is_https = strcmp(scheme, "https") == 0;
    bool is_known = place->is_https || strcmp(scheme, "http") == 0;
    curl_free(scheme);
    if (!is_known) {
        return only_http;
    }
    if (has_part(place->url, CURLUPART_USER) || has_part(place->url, CURLUPART_PASSWORD)) {
        return "it holds a user or a password: use secret_headers";
    }
    if (has_part(place->url, CURLUPART_ZONEID)) {
        return "its address names a network device";
    }
    if (curl_url_get(place->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        return "it has no port";
    }
    place->port = strtol(port, NULL, 10);
    curl_free(port);
    place->has_usual_port = place->port == (place->is_https ? 443 : 80);
    return take_host(place);
}

static const char *set(place_t *place, const char *text, unsigned flags) {
    if (strlen(text) > URL_LIMIT) {
        return "it is longer than 8192 bytes";
    }
    CURLUcode code = curl_url_set(place->url, CURLUPART_URL, text, flags);
    if (code == CURLUE_OUT_OF_MEMORY) {
        return "out of memory";
    }
    if (code == CURLUE_UNSUPPORTED_SCHEME) {
        return only_http;
    }
    /* What follows a '#' is for who reads the answer. */
    if (code != CURLUE_OK || curl_url_set(place->url, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK) {
        return "it is no URL such as https://example.org/path";
    }
    return take_parts(place);
}

const char *place_parse(place_t *place, const char *url) {
    place->url = curl_url();
    return place->url == NULL ? "out of memory" : set(place, url, 0);
}

const char *place_follow(place_t *place, const char *location) {
    /* Servers do send spaces there. */
    return set(place, location, CURLU_URLENCODE);
}

bool place_is_same_origin(const place_t *one, const place_t *other) {
    return one->is_https == other->is_https && one->port == other->port && strcmp(one->host, other->host) == 0;
}

char *place_text(const place_t *place) {
    char *text = NULL;
    return curl_url_get(place->url, CURLUPART_URL, &text, 0) == CURLUE_OK ? text : NULL;
}

void place_free(place_t *place) {
    curl_url_cleanup(place->url);
    *place = (place_t){ .url = NULL };
}
