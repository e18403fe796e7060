#include "answer.h"

#include <string.h>

#include "base64.h"
#include "decode.h"

void answer_write_headers(text_t *text, CURL *easy) {
    struct curl_header *header = NULL;
    bool is_first = true;
    text_literal(text, "{");
    while ((header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)) != NULL) {
        if (header->index != 0) {
            continue; /* stands with the first of its name */
        }
        char name[256];
        size_t size = strlen(header->name);
        size = size < sizeof name ? size : sizeof name - 1;
        for (size_t i = 0; i < size; i++) {
            char c = header->name[i];
            name[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
        text_comma(text, &is_first);
        text_quote(text, name, size);
        text_literal(text, ":[");
        bool is_first_value = true;
        for (size_t i = 0; i < header->amount; i++) {
            struct curl_header *value = NULL;
            if (curl_easy_header(easy, header->name, i, CURLH_HEADER, -1, &value) == CURLHE_OK) {
                text_comma(text, &is_first_value);
                text_quote(text, value->value, strlen(value->value));
            }
        }
        text_literal(text, "]");
    }
    text_literal(text, "}");
}

void answer_write_body(text_t *text, const text_t *body, bool is_cut) {
    size_t plain = utf8_prefix(body->data, body->size);
    /* What was cut may end within a character. */
    if (plain == body->size || (is_cut && body->size - plain < 4)) {
        text_literal(text, ",\"body\":");
        text_quote(text, body->data, plain);
    } else {
        text_literal(text, ",\"body_base64\":\"");
        base64_encode(text, body->data, body->size);
        text_literal(text, "\"");
    }
    text_literal(text, ",\"truncated\":");
    text_add(text, is_cut ? "true" : "false", is_cut ? 4 : 5);
}
