#include <sqlite3.h>

/* sqlite3_db_config is variadic, which Swift cannot call. */
static inline int dome_sqlite3_set(sqlite3 *database, int option, int value) {
    return sqlite3_db_config(database, option, value, (int *)0);
}
