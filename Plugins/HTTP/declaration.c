#include "declaration.h"

/* ISO C promises 4095 characters; every compiler that builds plugins takes more. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

#define TEXT(more) "{\"type\":\"string\"" more "}"
#define NUMBER(least, most, usual, what)                                                                         \
    "{\"type\":\"integer\",\"minimum\":" least ",\"maximum\":" most usual ",\"description\":\"" what "\"}"
#define HEADER_NAMES                                                                                             \
    "\"maxProperties\":100,\"propertyNames\":{\"pattern\":\"^[-!#$%&'*+.^_`|~0-9A-Za-z]+$\",\"maxLength\":256}"
#define URL                                                                                                      \
    "\"url\":{\"type\":\"string\",\"pattern\":\"^[Hh][Tt][Tt][Pp][Ss]?://\",\"maxLength\":8192,"                 \
    "\"description\":\"Absolute; https:// or http://.\"}"

#define COMMON                                                                                                   \
    URL ",\"headers\":{\"type\":\"object\"," HEADER_NAMES ",\"additionalProperties\":"                           \
    TEXT(",\"maxLength\":8192") "},"                                                                             \
    "\"secret_headers\":{\"type\":\"object\"," HEADER_NAMES ",\"description\":\"Headers with a secret of the "   \
    "user's in them, named and not spelled out: {\\\"Authorization\\\": {\\\"secret\\\": \\\"TOKEN\\\", "        \
    "\\\"prefix\\\": \\\"Bearer \\\"}}. Sent over https to the hosts that the user's configuration names.\","    \
    "\"additionalProperties\":{\"type\":\"object\",\"properties\":{\"secret\":" TEXT(",\"maxLength\":64") ","    \
    "\"prefix\":" TEXT(",\"maxLength\":1024") "},\"required\":[\"secret\"],\"additionalProperties\":false}},"    \
    "\"max_bytes\":" NUMBER("1", "1073741824", "", "Of the body, unpacked; 1048576 if left out, 67108864 with "  \
    "save_as. At most 8388608 without save_as.") ","                                                             \
    "\"timeout_seconds\":" NUMBER("1", "3600", ",\"default\":30", "For all of it, redirects included.") ","      \
    "\"max_redirects\":" NUMBER("0", "20", ",\"default\":5", "0: a redirect is the answer.") ","                 \
    "\"save_as\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":1024,\"description\":\"Keeps the body as an " \
    "artifact of this name instead of putting it into the result.\"}"

#define INPUT(more)                                                                                              \
    "\"input_schema\":{\"type\":\"object\",\"properties\":{" COMMON more                                         \
    "},\"required\":[\"url\"],\"additionalProperties\":false}"
#define OUTPUT                                                                                                   \
    "\"output_schema\":{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"integer\"},"                  \
    "\"url\":" TEXT("") ",\"redirects\":{\"type\":\"integer\"},\"headers\":{\"type\":\"object\","                \
    "\"additionalProperties\":{\"type\":\"array\",\"items\":" TEXT("") "}},\"bytes\":{\"type\":\"integer\"},"    \
    "\"body\":" TEXT("") ",\"body_base64\":" TEXT("") ",\"truncated\":{\"type\":\"boolean\"},\"artifact\":"      \
    TEXT("") "},\"required\":[\"status\",\"url\",\"redirects\",\"headers\",\"bytes\"],"                          \
    "\"additionalProperties\":false}"
#define ANSWER                                                                                                   \
    "Answers {\\\"status\\\", \\\"url\\\", \\\"redirects\\\", \\\"headers\\\", \\\"bytes\\\"} and the body: "    \
    "\\\"body\\\" if it is UTF-8, \\\"body_base64\\\" if not, \\\"artifact\\\" with \\\"save_as\\\"; "           \
    "\\\"truncated\\\" says whether it was cut at \\\"max_bytes\\\". An answer of any status is a result.\\n"    \
    "Only hosts that the user's configuration allows are asked, at public addresses; check tells which."
#define HOSTS "{\"type\":\"array\",\"maxItems\":256,\"items\":" TEXT(",\"minLength\":1,\"maxLength\":255") "}"

const char http_declaration[] =
    "{\"actions\":["
    "{\"name\":\"get\",\"title\":\"Fetch a URL\",\"description\":\"Fetches a URL by GET. " ANSWER "\","
    INPUT("") "," OUTPUT "},"
    "{\"name\":\"request\",\"title\":\"Send an HTTP request\",\"description\":\"Sends a request of any method, with a "
    "body if there is one (\\\"body\\\" as text or \\\"body_base64\\\"). " ANSWER "\","
    "\"side_effects\":[\"sends what the task says to an allowed host\"],"
    INPUT(",\"method\":{\"enum\":[\"GET\",\"HEAD\",\"POST\",\"PUT\",\"PATCH\",\"DELETE\",\"OPTIONS\"],\"default\":"
          "\"GET\"},\"body\":{\"type\":\"string\"},\"body_base64\":{\"type\":\"string\"}") "," OUTPUT "},"
    "{\"name\":\"check\",\"title\":\"Ask whether a URL may be fetched\",\"description\":\"Says whether the user's "
    "configuration allows to ask the host of a URL, and why not; sends nothing. An allowed host may still have "
    "no public address.\","
    "\"input_schema\":{\"type\":\"object\",\"properties\":{\"url\":{\"type\":\"string\",\"maxLength\":8192}},"
    "\"required\":[\"url\"],\"additionalProperties\":false},"
    "\"output_schema\":{\"type\":\"object\",\"properties\":{\"allowed\":{\"type\":\"boolean\"},\"reason\":" TEXT("")
    "},\"required\":[\"allowed\"],\"additionalProperties\":false},\"limits\":{\"wall_seconds\":10}}],"
    "\"config_schema\":{\"type\":\"object\",\"properties\":{"
    "\"hosts\":" HOSTS ",\"private_ranges\":{\"type\":\"array\",\"maxItems\":256,\"items\":"
    TEXT(",\"minLength\":1,\"maxLength\":64") "},\"secret_hosts\":{\"type\":\"object\",\"maxProperties\":16,"
    "\"additionalProperties\":" HOSTS "},\"ca_pem\":" TEXT(",\"minLength\":1,\"maxLength\":1048576") ","
    "\"max_bytes\":" NUMBER("1", "1073741824", "", "The most that a task may ask for.") ","
    "\"timeout_seconds\":" NUMBER("1", "3600", "", "The longest that a task may ask for.")
    "},\"additionalProperties\":false}}";

const unsigned long http_declaration_size = sizeof http_declaration - 1;
