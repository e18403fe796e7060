/*
 * @NAME@: a dome plugin with two tools, @NAME@.hello and @NAME@.count.
 *
 * `make` builds it, `dome plugin check .` tries it out, `dome plugin install .` makes its tools known.
 * dome/adapter.h explains every function. No exception may leave a function that the host calls: `guarded` sees to it.
 */
#include <dome/dome.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "json.h"

/* A connection: one is made for each job. */
struct dome_adapter {
    unsigned calls = 0;
};

namespace {

/* What the host gave to init; it lives until deinit. */
const dome_host_api_t *host;
const dome_cancel_api_t *cancel;
const dome_progress_api_t *progress;

constexpr std::string_view declaration = R"({"actions": [
    {"name": "hello", "title": "Hello", "description": "Greets somebody.",
     "input_schema": {"type": "object", "additionalProperties": false, "properties":
        {"name": {"type": "string", "maxLength": 200}}},
     "output_schema": {"type": "object", "required": ["greeting"], "properties": {"greeting": {"type": "string"}}}},
    {"name": "count", "title": "Count", "description": "Counts, and shows how far it is.",
     "input_schema": {"type": "object", "additionalProperties": false, "properties":
        {"to": {"type": "integer", "minimum": 1, "maximum": 1000},
         "milliseconds": {"type": "integer", "minimum": 0, "maximum": 10000}}},
     "output_schema": {"type": "object", "required": ["counted"], "properties": {"counted": {"type": "integer"}}}}
]})";

/* What a call fails with: a status, and a reason that people read. */
struct Refusal : std::runtime_error {
    Refusal(dome_status_t status, const std::string &reason) : std::runtime_error(reason), status(status) {}
    dome_status_t status;
};

/* Runs `body` and turns what it throws into a status. */
template <typename Body> dome_status_t guarded(dome_call_t *call, Body body) noexcept {
    const auto explain = [call](std::string_view reason) { host->explain(call, reason.data(), reason.size()); };
    try {
        body();
        return DOME_OK;
    } catch (const Refusal &refusal) {
        explain(refusal.what());
        return refusal.status;
    } catch (const std::bad_alloc &) {
        explain("out of memory");
        return DOME_UNAVAILABLE;
    } catch (const std::exception &error) {
        explain(error.what());
        return DOME_INTERNAL;
    } catch (...) {
        explain("something was thrown that is no exception");
        return DOME_INTERNAL;
    }
}

const dome_descriptor_t *get_descriptor() {
    static const dome_descriptor_t descriptor = {
        sizeof(dome_descriptor_t),
        DOME_TEXT_INIT("@ID@"),
        DOME_TEXT_INIT("0.1.0"),
        {declaration.data(), declaration.size()},
    };
    return &descriptor;
}

json_t member(std::string_view payload, const char *name) {
    json_t value;
    if (!json_member(payload.data(), payload.size(), name, &value)) {
        throw Refusal(DOME_INVALID, "the payload is no object");
    }
    return value;
}

uint32_t whole(std::string_view payload, const char *name, uint32_t usual, uint32_t limit) {
    const json_t value = member(payload, name);
    uint32_t number = usual;
    if (value.at != nullptr && (!json_whole(value, &number) || number > limit)) {
        throw Refusal(DOME_INVALID, "\"" + std::string(name) + "\" is a whole number up to " + std::to_string(limit));
    }
    return number;
}

std::string hello(std::string_view payload) {
    const json_t value = member(payload, "name");
    const char *data = "world";
    size_t size = 5;
    if (value.at != nullptr && !json_spelling(value, &data, &size)) {
        throw Refusal(DOME_INVALID, "\"name\" is no text");
    }
    return "{\"greeting\":\"Hello, " + std::string(data, size) + "!\"}";
}

/* Sleeps, and looks each millisecond whether the job was canceled. */
void wait(dome_call_t *call, uint32_t milliseconds) {
    for (uint32_t passed = 0; passed <= milliseconds; passed++) {
        if (cancel != nullptr && cancel->is_canceled(call)) {
            throw Refusal(DOME_CANCELED, "canceled while counting");
        }
        if (passed < milliseconds) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
}

std::string count(dome_call_t *call, std::string_view payload) {
    const uint32_t limit = whole(payload, "to", 3, 1000), milliseconds = whole(payload, "milliseconds", 100, 10000);
    for (uint32_t number = 1; number <= limit; number++) {
        wait(call, milliseconds);
        if (progress != nullptr) {
            progress->report(call, static_cast<double>(number) / limit, DOME_TEXT("counting"));
        }
    }
    return "{\"counted\":" + std::to_string(limit) + "}";
}

dome_status_t connect(dome_call_t *call, const char *, size_t, dome_adapter_t **adapter) {
    return guarded(call, [&] { *adapter = new dome_adapter_t(); });
}

void disconnect(dome_adapter_t *adapter) { delete adapter; }

dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                      const char *payload, size_t payload_size) {
    return guarded(call, [&] {
        adapter->calls++;
        const std::string_view name(action, action_size), text(payload, payload_size);
        std::string reply;
        if (name == "hello") {
            reply = hello(text);
        } else if (name == "count") {
            reply = count(call, text);
        } else {
            throw Refusal(DOME_INVALID, "there is no such action; known are hello and count");
        }
        if (!host->reply(call, reply.data(), reply.size())) {
            throw Refusal(DOME_UNAVAILABLE, "the host takes no reply");
        }
    });
}

bool init(dome_host_t *self, const dome_host_api_t *api, const char *, size_t) {
    host = api;
    /* An extension that the host does not have is null: then do without. */
    cancel = static_cast<const dome_cancel_api_t *>(api->get_extension(self, DOME_TEXT(DOME_EXT_CANCEL)));
    progress = static_cast<const dome_progress_api_t *>(api->get_extension(self, DOME_TEXT(DOME_EXT_PROGRESS)));
    return true;
}

void deinit() { host = nullptr; }

const void *get_factory(const char *id, size_t id_size) {
    static const dome_adapter_api_t api = {
        sizeof(dome_adapter_api_t), get_descriptor, connect, execute, nullptr, nullptr, disconnect, nullptr,
    };
    return dome_text_equal(id, id_size, DOME_TEXT(DOME_ADAPTER)) ? &api : nullptr;
}

}  // namespace

extern "C" {
DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = {DOME_ENTRY_HEADER, init, deinit, get_factory};
}
