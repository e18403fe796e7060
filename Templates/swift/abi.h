/*
 * abi.h: dome's headers, and what entry.c and Plugin.swift have of each other.
 */
#ifndef ABI_H
#define ABI_H

#include <dome/dome.h>

/* A connection: one is made for each job. Plugin.swift keeps an object behind it. */
struct dome_adapter {
    void *object;
};

/* Of entry.c. */
const dome_descriptor_t *plugin_descriptor(void);

/* Of Plugin.swift. */
bool plugin_init(dome_host_t *host, const dome_host_api_t *api, const char *directory, size_t directory_size);
void plugin_deinit(void);
dome_status_t plugin_connect(dome_call_t *call, const char *config, size_t config_size, dome_adapter_t **adapter);
dome_status_t plugin_execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size);
void plugin_disconnect(dome_adapter_t *adapter);

#endif
