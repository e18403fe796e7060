/*
 * entry.h: the one symbol a plugin exports.
 *
 *     DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
 *     const dome_entry_t dome_plugin_entry = {
 *         DOME_ENTRY_HEADER, my_init, my_deinit, my_get_factory,
 *     };
 *
 * Before it calls anything the host checks, in this order: the magic (is this a dome plugin at all), the ABI version
 * (version.h), struct_size (is the table whole), and that the functions are there. A refusal names the field, both
 * values and the remedy.
 */
#ifndef DOME_ENTRY_H
#define DOME_ENTRY_H

#include "host.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bytes "DOMEPLUG" as a little-endian number; read on a machine of the other byte order it does not match. */
#define DOME_ENTRY_MAGIC ((uint64_t)0x47554c50454d4f44)

/* The name to look up with dlsym. */
#define DOME_ENTRY_SYMBOL "dome_plugin_entry"

/* OWNERSHIP: static data of the plugin; lives as long as the process (a plugin is never unloaded). */
typedef struct dome_entry {
    uint64_t magic;     /* DOME_ENTRY_MAGIC */
    uint32_t abi_major; /* DOME_ABI_MAJOR and DOME_ABI_MINOR that the plugin was compiled with */
    uint32_t abi_minor;
    size_t struct_size; /* sizeof(dome_entry_t) */

    /* Called once, first. Be quick: scans call it too. Start no threads, open nothing, print nothing here.
     * `directory` is the plugin's own, absolute. False: the plugin cannot work here, and no other function is called.
     * OWNERSHIP: `host` and `api` are the host's and live until deinit has returned; `directory` until init returns.
     * [main-thread & unloaded] */
    bool(DOME_CALL *init)(dome_host_t *host, const dome_host_api_t *api, const char *directory, size_t directory_size);

    /* Called once, last, when every instance is destroyed and only if init returned true. Every thread the plugin
     * started has ended when it returns. [main-thread & loaded] */
    void(DOME_CALL *deinit)(void);

    /* The table for a kind of plugin, as DOME_EXECUTOR (executor.h), or NULL when this is not such a plugin.
     * OWNERSHIP: the table is the plugin's and lives until deinit. [main-thread & loaded] */
    const void *(DOME_CALL *get_factory)(const char *id, size_t id_size);

    /* New members go below this line, with the ABI minor that added them. */
} dome_entry_t;

/* The first four members as they must be. */
#define DOME_ENTRY_HEADER DOME_ENTRY_MAGIC, DOME_ABI_MAJOR, DOME_ABI_MINOR, sizeof(dome_entry_t)

/* What a plugin says of itself. Its id and version must be those of its plugin.json.
 * OWNERSHIP: the struct and its text are the plugin's and live until deinit. */
typedef struct dome_descriptor {
    size_t struct_size; /* sizeof(dome_descriptor_t) */

    dome_text_t id;      /* reverse DNS: "org.example.thing" */
    dome_text_t version; /* semantic version: "1.2.0" */

    /* Everything else, as a JSON object, so that it can grow without a new ABI: {"name": "…", "description": "…",
     * "capabilities": ["…"], "config_schema": {…JSON Schema…}}. Every member is optional. */
    dome_text_t declaration;

    /* New members go below this line, with the ABI minor that added them. */
} dome_descriptor_t;

#ifdef __cplusplus
}
#endif

#endif
