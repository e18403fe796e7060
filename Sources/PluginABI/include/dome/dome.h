/*
 * dome.h: everything a dome plugin is written against.
 *
 * A plugin is a directory: `plugin.json` (id, version, kind, library, permissions) and a shared library that exports
 * ONE symbol, `dome_plugin_entry` (entry.h). It links nothing of dome's: what it needs of the host it looks up by id
 * (host.h). The host maps a library only in a `domed-worker` process that holds this one plugin, so a crash in it is
 * the end of that worker and of nothing else; it is never unloaded.
 *
 * Read in this order: version.h, entry.h, host.h, then the kind you write (adapter.h for tools, executor.h for
 * where jobs run, executor_drive.h for jobs that run elsewhere), then ext/ as you need it.
 *
 * Rules that hold in every header
 * - TABLES start with `struct_size` (set it to sizeof) and grow at the end only. A member past the other side's
 *   struct_size does not exist: test for that before you use one that came after 1.0.
 * - TEXT is UTF-8 with a pointer and a size in bytes, never NUL-terminated; a NULL pointer goes with size 0 only.
 *   JSON documents cross as text.
 * - IDS read `reverse.dns.name/revision`; the plain prefix `dome.` is this project's. An unknown id is answered with
 *   NULL: absent is not an error.
 * - THREADS. `[main-thread]` is the thread that called `init`; `[any-thread]` is any. The word after `&` is the
 *   state: `unloaded` (before init has returned true), `loaded` (between init and deinit), `active` (between an
 *   instance's create and destroy), `in-call` (while the plugin has not returned from the call concerned).
 *   The host never enters a plugin twice at once.
 * - OWNERSHIP. Each pointer says who frees it and how long it lives. Memory is freed by the side that allocated it.
 * - NOTHING UNWINDS across: no exception, panic or longjmp leaves a function on either side.
 */
#ifndef DOME_DOME_H
#define DOME_DOME_H

#include "platform.h"
#include "version.h"
#include "text.h"
#include "status.h"
#include "host.h"
#include "entry.h"
#include "executor.h"
#include "executor_drive.h"
#include "adapter.h"
#include "ext/log.h"
#include "ext/cancel.h"
#include "ext/progress.h"
#include "ext/artifact.h"
#include "ext/secrets.h"
#include "ext/config.h"
#include "ext/clock.h"

#endif
