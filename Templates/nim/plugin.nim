## @NAME@: a dome plugin with two tools, @NAME@.hello and @NAME@.count.
##
## `make` builds it, `dome plugin check .` tries it out, `dome plugin install .` makes its tools known.
## dome/adapter.h explains every function. No exception may leave a function that the host calls: `execute` sees to it.

import std/[json, os]

const declaration = """{"actions": [
    {"name": "hello", "title": "Hello", "description": "Greets somebody.",
     "input_schema": {"type": "object", "additionalProperties": false, "properties":
        {"name": {"type": "string", "maxLength": 200}}},
     "output_schema": {"type": "object", "required": ["greeting"], "properties": {"greeting": {"type": "string"}}}},
    {"name": "count", "title": "Count", "description": "Counts, and shows how far it is.",
     "input_schema": {"type": "object", "additionalProperties": false, "properties":
        {"to": {"type": "integer", "minimum": 1, "maximum": 1000},
         "milliseconds": {"type": "integer", "minimum": 0, "maximum": 10000}}},
     "output_schema": {"type": "object", "required": ["counted"], "properties": {"counted": {"type": "integer"}}}}
]}"""

type
  Status = cint
  Host {.importc: "dome_host_t", header: "dome/dome.h", incompleteStruct.} = object
  Call {.importc: "dome_call_t", header: "dome/dome.h", incompleteStruct.} = object
  HostApi {.importc: "dome_host_api_t", header: "dome/dome.h", incompleteStruct.} = object
    get_extension: proc(host: ptr Host, id: cstring, size: csize_t): pointer {.cdecl.}
    reply: proc(call: ptr Call, data: cstring, size: csize_t): bool {.cdecl.}
    explain: proc(call: ptr Call, message: cstring, size: csize_t) {.cdecl.}
  CancelApi {.importc: "dome_cancel_api_t", header: "dome/dome.h", incompleteStruct.} = object
    is_canceled: proc(call: ptr Call): bool {.cdecl.}
  ProgressApi {.importc: "dome_progress_api_t", header: "dome/dome.h", incompleteStruct.} = object
    report: proc(call: ptr Call, value: cdouble, message: cstring, size: csize_t) {.cdecl.}
  Refusal = object of CatchableError
    ## What a call fails with; its message is for people.
    status: Status

const
  ok = Status(0)
  invalid = Status(1)
  unavailable = Status(5)
  canceled = Status(6)
  internal = Status(7)

# What the host gave to init; it lives until deinit.
var
  host: ptr HostApi
  cancelTable: ptr CancelApi
  progressTable: ptr ProgressApi

proc refuse(status: Status, reason: string) {.noreturn.} =
  raise (ref Refusal)(msg: reason, status: status)

proc whole(payload: JsonNode, name: string, usual, limit: int): int =
  let value = payload.getOrDefault(name)
  if value == nil: return usual
  if value.kind != JInt or value.getInt notin 0 .. limit:
    refuse(invalid, "\"" & name & "\" is a whole number up to " & $limit)
  value.getInt

proc hello(payload: JsonNode): JsonNode =
  let name = payload.getOrDefault("name")
  if name != nil and name.kind != JString: refuse(invalid, "\"name\" is no text")
  %*{"greeting": "Hello, " & (if name == nil: "world" else: name.getStr) & "!"}

proc count(payload: JsonNode, call: ptr Call): JsonNode =
  let limit = whole(payload, "to", 3, 1000)
  let milliseconds = whole(payload, "milliseconds", 100, 10_000)
  for number in 1 .. limit:
    for passed in 0 .. milliseconds:
      if cancelTable != nil and cancelTable.is_canceled(call): refuse(canceled, "canceled while counting")
      if passed < milliseconds: sleep(1)
    if progressTable != nil: progressTable.report(call, number / limit, "counting", 8)
  %*{"counted": limit}

proc copied(data: ptr UncheckedArray[char], size: csize_t): string =
  ## What the host lends, for as long as we like.
  result = newString(size)
  if size > 0: copyMem(addr result[0], data, size)

proc depth(text: string): int =
  ## How deep it is nested, at most: std/json calls itself for each level, and the stack is not endless.
  var level = 0
  for character in text:
    if character in {'{', '['}: inc level
    elif character in {'}', ']'}: dec level
    result = max(result, level)

proc answer(action, text: string, call: ptr Call): string =
  if action notin ["hello", "count"]: refuse(invalid, "there is no such action; known are hello and count")
  if text.len > 65536: refuse(invalid, "the payload is larger than any that fits the schemas")
  if text.depth > 100: refuse(invalid, "the payload is nested too deep")
  let payload = parseJson(text)
  if payload.kind != JObject: refuse(invalid, "the payload is no object")
  $(if action == "hello": hello(payload) else: count(payload, call))

proc execute(call: ptr Call, action: ptr UncheckedArray[char], actionSize: csize_t,
             payload: ptr UncheckedArray[char], payloadSize: csize_t): Status {.exportc: "plugin_execute", cdecl.} =
  proc failed(status: Status, reason: string): Status =
    host.explain(call, reason.cstring, csize_t(reason.len))
    status
  try:
    let reply = answer(copied(action, actionSize), copied(payload, payloadSize), call)
    if host.reply(call, reply.cstring, csize_t(reply.len)): ok
    else: failed(unavailable, "the host takes no reply")
  except Refusal as refusal: failed(refusal.status, refusal.msg)
  except JsonParsingError: failed(invalid, "the payload is no JSON")
  except CatchableError as error: failed(internal, $error.name)
  except Defect as error: failed(internal, $error.name)

proc find(self: ptr Host, id: string): pointer =
  host.get_extension(self, id.cstring, csize_t(id.len))

proc start(self: ptr Host, api: ptr HostApi) {.exportc: "plugin_start", cdecl.} =
  host = api
  # An extension that the host does not have is nil: then do without.
  cancelTable = cast[ptr CancelApi](find(self, "dome.cancel/1"))
  progressTable = cast[ptr ProgressApi](find(self, "dome.progress/1"))

proc declarationText(): cstring {.exportc: "plugin_declaration", cdecl.} = declaration

# The tables are constants of the library, in C.
{.emit: """
#include <dome/dome.h>
#include <stdlib.h>
#include <string.h>

extern void NimMain(void);

/* A connection: one is made for each job. */
struct dome_adapter {
    unsigned calls;
};

static bool init(dome_host_t *host, const dome_host_api_t *api, const char *directory, size_t directory_size) {
    (void)directory, (void)directory_size;
    NimMain();
    plugin_start(host, (dome_host_api_t *)api);
    return true;
}

static void deinit(void) {}

static const dome_descriptor_t *get_descriptor(void) {
    static dome_descriptor_t descriptor = {
        sizeof(dome_descriptor_t), DOME_TEXT_INIT("@ID@"), DOME_TEXT_INIT("0.1.0"), { NULL, 0 },
    };
    descriptor.declaration.data = plugin_declaration();
    descriptor.declaration.size = strlen(descriptor.declaration.data);
    return &descriptor;
}

static dome_status_t connect(dome_call_t *call, const char *config, size_t size, dome_adapter_t **adapter) {
    (void)call, (void)config, (void)size;
    *adapter = calloc(1, sizeof(**adapter));
    return *adapter == NULL ? DOME_UNAVAILABLE : DOME_OK;
}

static void disconnect(dome_adapter_t *adapter) { free(adapter); }

static dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size) {
    adapter->calls++;
    return plugin_execute(call, (void *)action, action_size, (void *)payload, payload_size);
}

static const void *get_factory(const char *id, size_t id_size) {
    static const dome_adapter_api_t api = {
        sizeof(dome_adapter_api_t), get_descriptor, connect, execute, NULL, NULL, disconnect, NULL,
    };
    return dome_text_equal(id, id_size, DOME_TEXT(DOME_ADAPTER)) ? &api : NULL;
}

DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = { DOME_ENTRY_HEADER, init, deinit, get_factory };
""".}
